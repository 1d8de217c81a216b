/* SPDX-License-Identifier: MIT */
/*
 * The Ultravisor's inside: configurations, CPUs, calls, secure storage (ultravisor.md).
 *
 * One lock serializes everything that is not executed by a guest itself. Who waits for it answers
 * revocations (uv_lock()), because its holder may be waiting for this very CPU. It is never held
 * while an instruction is left (raise, sie_exit(), sie_done()).
 */
#ifndef ULTRAVISOR_UV_PRIV_H
#define ULTRAVISOR_UV_PRIV_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <zpv/hostkey.h>

#include "frame.h"
#include "mem.h"
#include "pv_dump.h"
#include "se_hdr.h"
#include "se_profile.h"
#include "secure.h"
#include "sie_priv.h"
#include "uvcb.h"

struct p521;
struct secret;
struct sha;
struct unpack;
struct uv_config;
struct uv_dump;
struct xts;

/* --- Sizes: project choices that QUERY reports (section 4.1) ------------------------------------ */

#define UV_BASE_STOR_BYTES   0x200000ull
#define UV_CONFIG_BASE_BYTES 0x4000ull
#define UV_CONFIG_VIRT_BYTES 0x1000ull
/* struct uv_page for each page. The specification's 32 bytes a page do not hold a SHA-256. */
#define UV_CONFIG_PER_MIB_BYTES 0x4000ull
#define UV_CPU_STOR_BYTES	0x1000ull
#define UV_MAX_CONFIGS		0x400u
#define UV_MAX_GUEST_ADDR	0x7fffffffffffull
#define UV_MAX_CPU_ID		247u
#define UV_MIB			0x100000ull
#define UV_DUMP_PER_MIB_BYTES	0x1000ull
#define UV_DUMP_COMPLETE_BYTES	0x1000ull

/* --- Profiles (profile.c; section 3.1) ---------------------------------------------------------- */

struct uv_profile {
	uint64_t host_calls, guest_calls; /* word 0 of the command bits */
	uint64_t features;
	const struct se_profile *se; /* control flags of headers that are accepted */
};

/* By generation of the identity. */
const struct uv_profile *uv_profile(enum zpv_profile p);

/* --- Objects ------------------------------------------------------------------------------------ */

enum uv_config_state {
	CONFIG_CREATED,
	CONFIG_PARMS_SET,
	CONFIG_VERIFIED,
	CONFIG_RESET_PREPARED,
	CONFIG_FAILED, /* VERIFY found a difference: can only be destroyed */
};

/* A guest page; they lie in the configuration's variable storage, 64 bytes each. */
enum uv_page_state {
	PAGE_FRESH,    /* never touched, or cleared: reads as zeros */
	PAGE_RESIDENT, /* in frame */
	PAGE_EXPORTED, /* with tweak counter and digest; shared ones without */
};

struct uv_page {
	uint8_t state; /* enum uv_page_state */
	bool shared;
	uint8_t reserved02[6];
	uint64_t frame;	    /* of a resident page: number of the host frame */
	uint64_t counter;   /* of an exported private page: its tweak's export counter */
	uint8_t digest[32]; /* SHA-256 of its ciphertext */
	uint8_t reserved38[8];
};
static_assert(sizeof(struct uv_page) == 64, "a power of two, so that none crosses a page");

/* Why a CPU whose instruction was intercepted with 104 goes on: what completes it. */
enum uv_completion {
	COMPLETE_NONE,
	COMPLETE_DIAG_288,
	COMPLETE_DIAG_308, /* subcodes 5 and 6 */
	COMPLETE_DIAG_500,
	COMPLETE_SERVC,
	COMPLETE_SERVC_NOTIFY, /* the second half: 108 before the next instruction */
	COMPLETE_STSI,
	COMPLETE_IO,
};

struct uv_pending {
	uint8_t what; /* enum uv_completion */
	uint8_t r1, r3;
	uint16_t opcode;
	uint16_t ilc;	   /* of the instruction, for a program interruption */
	uint64_t psw_addr; /* of the instruction (its EX) */
	uint64_t addr;	   /* of the operand: logical, or the SCCB's real address */
	uint32_t len;
	uint32_t subcode;
};

/* What iictl of the state description asked for when SIE began, with its interruption data. */
struct uv_injection {
	uint8_t code; /* enum scb_injection */
	union scb_intr data;
};

/* In the donated storage of a CPU. All of what is secret about it. */
struct uv_cpu_area {
	struct secure_regs regs;
	struct uv_pending pending;
};

struct uv_cpu {
	struct uv_cpu *next; /* of the configuration */
	struct uv_config *config;
	uint64_t handle, stor_origin, scb_addr;
	uint16_t number;
	struct uv_cpu_area *area; /* in the secure store */

	uint8_t state;	       /* enum uv_cpu_state: operating, stopped, load */
	bool load_pending;     /* the PSW is to be loaded at the next entry (section 4.18) */
	bool restart_pending;  /* by SIGP to a stopped CPU: PSW swap at the next entry */
	uint8_t order;	       /* SIGP order that the host has not acted on; 0: none */
	uint8_t reset_pending; /* DIAG 308: 0 none, else 1 + subcode; of the CPU that issued it */
	bool reset_done;       /* the CPU reset that it asks for was made */
	bool running;	       /* inside SIE */
	int last_host_cpu;     /* -1: none */
	bool ever_left;	       /* timer and exit_tod are valid */
	uint64_t timer;	       /* CPU timer that the host was shown at the last exit */
	uint64_t exit_tod;     /* machine TOD at that exit */
	uint32_t outstanding_sccb; /* of the last SERVC whose signal has not come; 0: none */
	bool may_signal;	   /* the host has seen SERVC's notification: its signal may come */
	bool fenced;		   /* the last exit was 0x70: iictl must not ask for anything new */
	struct uv_injection injection; /* of this SIE; not yet taken */
};

struct uv_config {
	struct uv_config *next;
	struct uv *uv;
	uint64_t handle;
	uint32_t owner; /* number for frames, never given twice */
	enum uv_config_state state;
	bool dumping;
	struct uv_dump *dump;			    /* while it is being dumped */
	bool unshared;				    /* UNSHARE ALL since all CPUs were stopped */
	uint64_t origin, len, asce, sca, base_stor; /* as created; origin is MSO */
	uint64_t *virt;				    /* frames of the variable storage */
	uint64_t nvirt;
	struct uv_cpu *cpus;

	/* Secure storage (page.c), made with the configuration. */
	struct secret *page_key; /* of both: a dump's owner gets it */
	struct xts *export_key, *import_key;
	uint64_t exports; /* counter of the last one */
	uint8_t nonce[6];

	/* From the SE header (header.c). */
	struct secret *cck;
	uint64_t psw_mask, psw_addr, pcf, scf, nep;
	uint8_t pld[64], ald[64], tld[64], tag[16];
	bool header_psw_used; /* the first load after VERIFY has been made */
	uint8_t uid[16];
	struct unpack *unpack; /* from SET PARMS to VERIFY or destruction */
};

struct uv {
	struct machine *m;
	pthread_mutex_t lock;
	const struct uv_profile *profile;
	struct p521 *key, *backup_key;
	uint8_t hash[32], backup_hash[32];
	bool ready; /* INIT was done */
	uint64_t base_stor;
	struct uv_config *configs;
	unsigned int nconfigs;
	uint32_t last_owner;
	bool orphans; /* there have been frames whose owner went away before them */
};

/* --- The lock and what it guards (uv.c) --------------------------------------------------------- */

/* self: the CPU on whose thread this is; NULL: none. */
void uv_lock(struct uv *uv, struct cpu *self);
void uv_unlock(struct uv *uv);

struct uv_config *uv_find_config(const struct uv *uv, uint64_t handle);
struct uv_config *uv_config_by_owner(const struct uv *uv, uint32_t owner);
struct uv_cpu *uv_find_cpu(const struct uv *uv, uint64_t handle);
/* Not 0, unique, at a Hamming distance of 8 or more from all others and from each + 1. */
uint64_t uv_new_handle(const struct uv *uv);
bool uv_all_stopped(const struct uv_config *c);
bool uv_any_running(const struct uv_config *c);

/* --- Donated storage (donate.c); addresses are host absolute ------------------------------------- */

/* All in configured storage? */
bool uv_in_storage(const struct uv *uv, uint64_t addr, uint64_t len);
/* Does the range hold a byte of the prefix area of a host CPU? */
bool uv_has_lowcore(const struct uv *uv, uint64_t addr, uint64_t len);
/* Is all of it in configured storage, where the host may access it? */
bool uv_accessible(const struct uv *uv, uint64_t addr, uint64_t len);
/* Are all frames plain host frames? */
bool uv_all_host(const struct uv *uv, uint64_t addr, uint64_t len);
/* Zeroed frames of the secure store that the host cannot reach; and back, zeroed. */
void uv_donate(struct uv *uv, struct cpu *self, uint64_t addr, uint64_t len);
void uv_give_back(struct uv *uv, struct cpu *self, uint64_t addr, uint64_t len);

/* --- Calls (calls.c) ---------------------------------------------------------------------------- */

union uv_block {
	struct uvcb head;
	struct uvcb_query query;
	struct uvcb_query_keys query_keys;
	struct uvcb_init init;
	struct uvcb_create_config create_config;
	struct uvcb_create_cpu create_cpu;
	struct uvcb_gpage gpage;
	struct uvcb_frame frame;
	struct uvcb_set_parms set_parms;
	struct uvcb_unpack unpack;
	struct uvcb_handle handle;
	struct uvcb_destroy_fast destroy_fast;
	struct uvcb_cpu_state cpu_state;
	struct uvcb_share share;
	struct uvcb_dump dump;
};

/* One execution of UVC. Functions of the table are called with the lock held and return the rc. */
struct uv_op {
	struct uv *uv;
	struct cpu *cpu;
	const struct slot *s; /* NULL: native host */
	uint64_t uvcb;	      /* its logical address */
	union uv_block block; /* a copy; what is changed here is stored back, all of it */
	size_t len;
	struct uv_config *config; /* by the handle of the block, or of the guest itself */
	struct uv_cpu *ucpu;
	uint16_t rrc;
	struct pic pic; /* with a code: the instruction is nullified, nothing is stored */
	bool notify;	/* guest: leave SIE with interception 0x6c for this call (section 4.20) */
};

/* Project choice: the Ultravisor is out of memory, random bytes or threads. In no command's list. */
#define UV_RC_RESOURCE 0x01ff

typedef uint16_t uv_call_fn(struct uv_op *op);

/*
 * Level 1: does the range, whole frames, hold a part of the block? It must not be donated, because
 * the response code could not be stored any more.
 */
bool uv_holds_block(const struct uv_op *op, uint64_t addr, uint64_t len);

/* secure_ops.uvc. */
struct pic uv_uvc(void *uv, struct cpu *cpu, const struct slot *s, uint64_t uvcb, unsigned int *cc);

/* query.c */
uv_call_fn uv_query, uv_query_keys;
/* init.c */
uv_call_fn uv_init;
/* config.c */
uv_call_fn uv_create_config, uv_destroy_config, uv_prepare_reset, uv_unshare_all;
/* cpu.c */
uv_call_fn uv_create_cpu, uv_destroy_cpu, uv_cpu_reset, uv_set_cpu_state;
/* page.c */
uv_call_fn uv_import, uv_export, uv_destroy_page, uv_pin, uv_unpin;
/* unpack.c */
uv_call_fn uv_set_parms, uv_unpack, uv_verify;
/* guest.c */
uv_call_fn uv_share, uv_unshare;
/* dump.c */
uv_call_fn uv_dump_init, uv_dump_storage_state, uv_dump_cpu, uv_dump_complete;

/* Frees the object after everything that it had in storage was given back or is gone. */
void uv_config_free(struct uv_config *c);
/* Ends a configuration without CPUs, and a CPU that does not run; their storage is given back. */
void uv_config_destroy(struct uv_config *c, struct cpu *self);
void uv_cpu_destroy(struct uv_cpu *c, struct cpu *self);
/* Destroys whatever there is, donated storage included (host system reset, end of the machine). */
void uv_reset_all(struct uv *uv, struct cpu *self);

/*
 * Home-space virtual bytes of the issuing CPU (DAT off: real), all of them proven accessible
 * before the first moves. Return: code 0, or the access exception.
 */
struct pic uv_read_virtual(struct cpu *cpu, uint64_t va, void *data, uint64_t len) MUST_CHECK;
struct pic uv_write_virtual(struct cpu *cpu, uint64_t va, const void *data, uint64_t len)
	MUST_CHECK;
/* May all bytes be accessed so? */
struct pic uv_probe_virtual(struct cpu *cpu, uint64_t va, uint64_t len, enum access access)
	MUST_CHECK;
/* Are such addresses of the host real ones by its ASCE, which rc 0x0030 is for? */
bool uv_home_is_real(const struct cpu *cpu);
/* Level 1: the host frame behind one such page, whatever its state. */
struct pic uv_virtual_frame(struct cpu *cpu, uint64_t va, uint64_t *frame) MUST_CHECK;

/* --- Secure storage (page.c) -------------------------------------------------------------------- */

/* False: no memory or no random bytes. */
bool uv_pages_new(struct uv_config *c);
void uv_pages_free(struct uv_config *c);

/* The record of a guest page; NULL outside of the guest. page: guest absolute / 4096. */
struct uv_page *uv_page(const struct uv_config *c, uint64_t page);

/*
 * Destruction of a configuration: its resident private frames are zeroed and the host's (or become
 * orphans, when orphan is set), shared ones keep their content.
 */
void uv_pages_release(struct uv_config *c, struct cpu *self, bool orphan);
/* UNSHARE ALL (section 4.17). */
void uv_pages_unshare(struct uv_config *c, struct cpu *self);
bool uv_pages_any_shared(const struct uv_config *c);

/* Guest calls; page is resident. False for uv_page_unshare: it is pinned. */
void uv_page_share(struct uv_config *c, struct cpu *self, uint64_t page);
bool uv_page_unshare(struct uv_config *c, struct cpu *self, uint64_t page);

/*
 * The frame that backs a guest page by the registered ASCE. Level 1 or 2 (the host's DAT is used in
 * both). Return: code 0; the host's access exception with its TEID.
 */
struct pic uv_backing(const struct uv_config *c, struct cpu *cpu, uint64_t page, uint64_t *frame)
	MUST_CHECK;
/* Is the page resident, secure or shared, in the frame that backs it now? */
bool uv_page_present(const struct uv_config *c, struct cpu *cpu, uint64_t page);

/*
 * UNPACK: takes a host frame in for a page, which becomes resident. The content of the secure store
 * is a copy of the frame's; the caller decrypts it in place. Return: rc as of UNPACK.
 */
uint16_t uv_page_take(struct uv_config *c, struct cpu *cpu, uint64_t page, uint8_t **secure);

/* A seized page on its way out. */
struct uv_leaving {
	uint64_t page, frame, counter;
	uint8_t digest[32]; /* of the ciphertext */
	bool encrypted;	    /* false: it stays where it is */
};

/*
 * Export in three steps: pages are seized, in runs, and get their counters; each is encrypted, by
 * any thread that has a context of the page key and needs no lock for it; and each is recorded and
 * given to the host. out has room for count of them, all of which the guest must have. Return:
 * false: no tweaks are left, nothing has happened.
 */
bool uv_pages_leave(struct uv_config *c, struct cpu *self, uint64_t first, uint64_t count,
		    struct uv_leaving *out, size_t *n) MUST_CHECK;
void uv_page_encrypt(const struct uv_config *c, struct xts *key, struct uv_leaving *l);
void uv_page_left(struct uv_config *c, const struct uv_leaving *l);

/* The storage state entry of a page that was exported with this counter. */
void uv_page_component(uint64_t page, uint64_t counter, struct pv_dump_entry *e);

/* --- Dump (dump.c) ------------------------------------------------------------------------------- */

/* Ends a dump that may be active and wipes what it had: every way out of it comes here. */
void uv_dump_end(struct uv_config *c);

/*
 * The cryptography of a dump, by which known answers can be checked. The key of a dump; and blocks
 * that have everything but version, length, IV and tag. In place, so they lie in secret memory.
 * False: no memory, or libcrypto failed.
 */
bool uv_dump_key(const struct secret *cck, const uint8_t seed[PV_DUMP_SEED_BYTES],
		 struct secret **out) MUST_CHECK;
bool uv_dump_seal_cpu(const struct secret *key, const uint8_t iv[PV_DUMP_IV_BYTES],
		      struct pv_dump_cpu *b) MUST_CHECK;
bool uv_dump_seal_complete(const struct secret *key, const uint8_t iv[PV_DUMP_IV_BYTES],
			   struct pv_dump_complete *b) MUST_CHECK;

/* --- SE header (header.c) ------------------------------------------------------------------------ */

/*
 * Checks, authenticates and decrypts a header with the host's keys, in the order of boot-ipl.md
 * section 4.3; fills cck, psw, flags, nep, digests, tag of the configuration and the component key.
 * Return: rc 1, or the rc with *rrc; then nothing has been filled.
 */
uint16_t uv_open_header(const struct uv *uv, const uint8_t *hdr, size_t len, struct uv_config *c,
			struct secret **component_key, uint16_t *rrc);

/* Ends what SET PARMS began: threads, digests, keys. c->unpack may be NULL. */
void uv_unpack_free(struct uv_config *c);
/*
 * Waits until every page that UNPACK took has been hashed and decrypted; nothing to do in any other
 * state. Before this no content of a resident page may be touched.
 */
void uv_unpack_drain(struct uv_config *c);

/* --- Protected CPUs ----------------------------------------------------------------------------- */

/* Register contents after these resets (cpu.c); a CPU reset that is neither keeps them all. */
void uv_regs_reset_initial(struct secure_regs *r);
void uv_regs_reset_clear(struct secure_regs *r);

/* enter.c, insn.c, complete.c: the other functions of secure_ops. */
enum validity uv_enter(void *uv, struct cpu *cpu, struct scb_page *scb, uint64_t scb_addr,
		       struct secure_entry *out);
void uv_begin(void *uv, struct cpu *cpu);
void uv_insn(void *uv, struct cpu *cpu, const struct insn *insn, const struct slot *s);
void uv_leave(void *uv, struct cpu *cpu, struct scb_page *scb, uint8_t icptcode);

/* The protected CPU that runs on this host CPU. */
static inline struct uv_cpu *uv_current(const struct cpu *cpu)
{
	return cpu->sie->secure.cpu;
}

/* Level 2: ends SIE with 0x6c for op's UVC: text, UVCB in the SIDA, PSW at the instruction. */
_Noreturn void uv_notify_unshare(struct uv_op *op);

/*
 * insn.c: what the host sees of an intercepted instruction (sie.md section 7.3). Preset text with
 * all registers zero; then the registers that it is told; then the end of SIE with 108 and the PSW
 * behind the instruction.
 */
void uv_show(struct cpu *cpu, uint16_t ipa, uint32_t ipb);
void uv_show_gr(struct cpu *cpu, unsigned int n, uint64_t value);
_Noreturn void uv_notify(struct cpu *cpu, const struct slot *s);
/*
 * A page of the SIDA. When the host has taken it away since the entry, SIE ends as if nothing had
 * happened and the next entry says why. s: the instruction, NULL between instructions.
 */
uint8_t *uv_sida_page(struct cpu *cpu, const struct slot *s);
/* sigp.c: SIGNAL PROCESSOR of a protected guest; does not return. */
_Noreturn void uv_sigp(struct cpu *cpu, const struct slot *s);
/*
 * The stop that SIGP stop and store status asked for has happened (lock held): the status goes to
 * absolute 0x1200 of the guest, if its page is resident.
 */
void uv_store_stop_status(struct uv_cpu *c, struct cpu *self);
/* SERVC is complete, its SCCB holds the answer: ends SIE with the notification of that. */
_Noreturn void uv_servc_notify(struct cpu *cpu, struct uv_cpu *c);

/*
 * complete.c: what uv_begin() does about c->area->pending, when no exception is injected instead.
 * Ends with pending.what COMPLETE_NONE; or, with COMPLETE_SERVC_NOTIFY, by sie_exit() with 0x6c:
 * uv_leave() then lets the service signal come.
 */
void uv_complete(struct cpu *cpu, struct uv_cpu *c);

/* inject.c. The check copies the request; lock held. */
enum validity uv_check_injection(const struct cpu *cpu, struct uv_cpu *c,
				 const struct scb_page *scb);
/* Is it an exception of the instruction that waits for its completion? */
bool uv_injects_program(const struct uv_cpu *c);
void uv_inject(struct cpu *cpu, struct uv_cpu *c);
/* Of intr_external() and its kind: lowcore not accessible, nothing has happened. */
bool uv_not_taken(struct pic pic);

/* The SIDA of a state description, host storage; NULL: not all there. bytes: its length. */
uint8_t *uv_sida(const struct cpu *cpu, const struct scb_page *scb, uint64_t *bytes);

#endif
