// SPDX-License-Identifier: MIT
/*
 * Storage keys and protection (PoP chapter 3, "Protection", and chapter 10; machine.md section 12).
 *
 * A storage key is a byte: access-control bits 0-3, fetch protection 4, reference 5, change 6.
 * TLB entries prove a key, so one that takes a right away purges the TLBs of all CPUs.
 */
#include <string.h>

#include "control_priv.h"

#define TEID_STORE 0x400u
#define TEID_FETCH 0x800u

#define KEY_STORAGE_OVERRIDE 9u /* CR0.39: everybody may access frames with this key */
#define FETCH_OVERRIDE_END   2048u
#define LOW_MASK	     0x11ffull /* addresses 0-511 and 4096-4607 */

/* --- Checks ------------------------------------------------------------------------------------ */

bool key_permits(const struct cpu *cpu, unsigned int key, uint8_t skey, uint64_t addr, bool store)
{
	unsigned int acc = skey >> 4;

	if (key == 0 || key == acc)
		return true;
	if (acc == KEY_STORAGE_OVERRIDE && cpu->cr[0] & CR0_STORAGE_OVERRIDE)
		return true;
	if (store)
		return false;
	return !(skey & KEY_FETCH) ||
	       (addr < FETCH_OVERRIDE_END && cpu->cr[0] & CR0_FETCH_OVERRIDE);
}

bool low_address_protected(const struct cpu *cpu, uint64_t addr)
{
	return cpu->cr[0] & CR0_LOW_PROTECTION && (addr & ~LOW_MASK) == 0;
}

void raise_real_protection(struct cpu *cpu, const struct slot *s, uint64_t raddr, bool store)
{
	struct pic pic = { .code = PGM_PROTECTION, .level = cpu->level };

	pic.teid = (raddr & ~0xfffull) | (store ? TEID_STORE : TEID_FETCH);
	cpu_raise(cpu, s, pic);
}

static uint8_t *key_of(struct cpu *cpu, const struct slot *s, uint64_t raddr)
{
	struct pic pic;
	uint8_t *key = mem_key(cpu, raddr, &pic);

	if (!key)
		RAISE_PIC(pic);
	return key;
}

static uint8_t key_get(const uint8_t *key)
{
	return __atomic_load_n(key, __ATOMIC_SEQ_CST);
}

uint8_t *real_operand(struct cpu *cpu, const struct slot *s, uint64_t raddr, uint32_t len,
		      bool store)
{
	struct pic pic;
	uint8_t *p;

	if (store && low_address_protected(cpu, raddr))
		raise_real_protection(cpu, s, raddr, store);
	pic = mem_real(cpu, raddr, len, store ? ACCESS_WRITE : ACCESS_READ, &p);
	if (pic.code)
		RAISE_PIC(pic);
	if (!key_permits(cpu, psw_key(cpu), key_get(key_of(cpu, s, raddr)), raddr, store))
		raise_real_protection(cpu, s, raddr, store);
	return p;
}

/* --- Keys -------------------------------------------------------------------------------------- */

/*
 * SET STORAGE KEY EXTENDED    SSKE R1,R2,M3    [RRF-d]  B22B
 * Key of the frame at real address R2 ← R1.56-62. M3 is ignored: facilities 8, 10, 14 are off.
 * PoP ch. 10, "SET STORAGE KEY EXTENDED"
 */
HANDLER(sske)
{
	uint8_t now = r64(R1) & 0xfe, *key = key_of(cpu, s, ADDR(r64(R2)));
	uint8_t old = __atomic_exchange_n(key, now, __ATOMIC_SEQ_CST);

	if (!((old ^ now) & (KEY_ACC | KEY_FETCH)) && !(old & ~now))
		NEXT(2);
	tlb_flush_all(cpu);
	GO_FRESH();
}

/*
 * INSERT STORAGE KEY EXTENDED    ISKE R1,R2    [RRE]  B229
 * R1.56-62 ← key of the frame at real address R2, R1.63 ← 0.
 * PoP ch. 10, "INSERT STORAGE KEY EXTENDED"
 */
HANDLER(iske)
{
	uint8_t key = key_get(key_of(cpu, s, ADDR(r64(R2))));

	set_r64(R1, (r64(R1) & ~0xffull) | (key & 0xfe));
	NEXT(2);
}

/*
 * RESET REFERENCE BIT EXTENDED    RRBE R1,R2    [RRE]  B22A
 * Reference bit of the frame at real address R2 ← 0. CC: 2 * its old value + change bit.
 * PoP ch. 10, "RESET REFERENCE BIT EXTENDED"
 */
HANDLER(rrbe)
{
	uint8_t *key = key_of(cpu, s, ADDR(r64(R2)));
	uint8_t old = __atomic_fetch_and(key, (uint8_t)~KEY_REF, __ATOMIC_SEQ_CST);

	set_cc(old >> 1 & 3);
	if (!(old & KEY_REF))
		NEXT(2);
	tlb_flush_all(cpu);
	GO_FRESH();
}

/*
 * INSERT VIRTUAL STORAGE KEY    IVSK R1,R2    [RRE]  B223
 * R1.56-60 ← bits 0-4 of the key of the frame at logical address R2, R1.61-63 ← 0.
 * Exceptions: special operation (DAT off), access (but neither key nor page protection).
 * PoP ch. 10, "INSERT VIRTUAL STORAGE KEY"
 */
HANDLER(ivsk)
{
	uint64_t va = ADDR(r64(R2));
	struct dat_result dat;
	struct pic pic;
	uint8_t key;

	require_dat(cpu, s);
	require_extraction(cpu, s);
	pic = dat_translate(cpu, va, dat_asce(cpu, psw_as(cpu)), &dat);
	if (pic.code) {
		if (pic.level == cpu->level)
			pic.teid = (va & ~0xfffull) | TEID_FETCH | (uint64_t)psw_as(cpu);
		RAISE_PIC(pic);
	}
	key = key_get(key_of(cpu, s, dat.raddr));
	set_r64(R1, (r64(R1) & ~0xffull) | (key & (KEY_ACC | KEY_FETCH)));
	NEXT(2);
}

/* --- TEST PROTECTION --------------------------------------------------------------------------- */

static bool is_translation(const struct cpu *cpu, const struct pic *pic)
{
	return pic->level == cpu->level &&
	       (pic->code == PGM_SEGMENT || pic->code == PGM_PAGE ||
		(pic->code >= PGM_ASCE_TYPE && pic->code <= PGM_REGION_3));
}

/* CC of TPROT: 0 fetch and store, 1 fetch, 2 neither, 3 not translated. */
static unsigned int test_protection(struct cpu *cpu, const struct slot *s, uint64_t va,
				    unsigned int key)
{
	struct dat_result dat = { .raddr = va };
	uint8_t skey;

	if (cpu->psw_mask & PSW_DAT) {
		struct pic pic = dat_translate(cpu, va, dat_asce(cpu, psw_as(cpu)), &dat);

		if (is_translation(cpu, &pic))
			return 3;
		if (pic.code)
			RAISE_PIC(pic);
	}
	skey = key_get(key_of(cpu, s, dat.raddr));
	if (!key_permits(cpu, key, skey, va, false))
		return 2;
	return dat.write_protected || !key_permits(cpu, key, skey, va, true) ||
	       (!dat.private_space && low_address_protected(cpu, va));
}

/*
 * TEST PROTECTION    TPROT D1(B1),D2(B2)    [SSE]  E501
 * May a program with the key of bits 56-59 of the second address access the first operand? CC: 0
 * fetch and store, 1 fetch only, 2 neither, 3 translation not available.
 * Exceptions: addressing, translation specification.    PoP ch. 10, "TEST PROTECTION"
 */
HANDLER(tprot)
{
	set_cc(test_protection(cpu, s, EA(), (unsigned int)(EA_SS2() >> 4 & 15)));
	NEXT(3);
}

/*
 * TEST BLOCK    TB R1,R2    [RRE]  B22C
 * Clears the 4 KiB frame at real address R2; GR0 ← 0. CC: 0 usable. Key-controlled protection does
 * not apply. Exceptions: addressing, protection (low address).    PoP ch. 10, "TEST BLOCK"
 */
HANDLER(tb)
{
	uint64_t raddr = ADDR(r64(R2)) & ~0xfffull;
	struct pic pic;
	uint8_t *p;

	if (low_address_protected(cpu, raddr))
		raise_real_protection(cpu, s, raddr, true);
	pic = mem_real(cpu, raddr, PAGE_BYTES, ACCESS_WRITE, &p);
	if (pic.code)
		RAISE_PIC(pic);
	memset(p, 0, PAGE_BYTES);
	mem_written(cpu, p, PAGE_BYTES);
	set_r64(0, 0);
	set_cc(0);
	NEXT_POLL(2);
}
