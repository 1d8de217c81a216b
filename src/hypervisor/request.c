// SPDX-License-Identifier: MIT
/*
 * What other threads ask of the CPU's thread, which alone may look into the guest: to stand still, and
 * to be dumped. It answers between two SIE, so never in the middle of a load, a reset or the way into
 * protected mode.
 */
#include "dump.h"
#include "err.h"
#include "vcpu.h"
#include "vm.h"

static int ended(struct zpv_err *err)
{
	return err_set(err, ZPV_ERR_USAGE, "the VM has ended");
}

/* Under the lock, after a change. */
static void tell(struct vm *vm)
{
	struct vm_requests *r = &vm->requests;

	atomic_store(&r->any, r->paused || r->dump);
	pthread_cond_broadcast(&vm->changed);
}

static void set_paused(struct vm *vm, bool paused)
{
	pthread_mutex_lock(&vm->lock);
	vm->requests.paused = paused;
	tell(vm);
	pthread_mutex_unlock(&vm->lock);
}

int vm_pause(struct vm *vm, struct zpv_err *err)
{
	struct vm_requests *r = &vm->requests;
	bool holds;

	set_paused(vm, true);
	vcpu_wake(vm->vcpu);
	pthread_mutex_lock(&vm->lock);
	/* Who resumes it at the same time wins. */
	while (r->paused && !r->holding && !r->over)
		pthread_cond_wait(&vm->changed, &vm->lock);
	holds = !r->over;
	pthread_mutex_unlock(&vm->lock);
	return holds ? 0 : ended(err);
}

int vm_resume(struct vm *vm, struct zpv_err *err)
{
	bool over;

	set_paused(vm, false);
	pthread_mutex_lock(&vm->lock);
	over = vm->requests.over;
	pthread_mutex_unlock(&vm->lock);
	return over ? ended(err) : 0;
}

bool vm_is_paused(struct vm *vm)
{
	bool paused;

	pthread_mutex_lock(&vm->lock);
	paused = vm->requests.paused;
	pthread_mutex_unlock(&vm->lock);
	return paused;
}

/* --- Dumps -------------------------------------------------------------------------------------- */

/* Lives on the stack of the thread that waits for it. */
struct dump_request {
	struct dump *dump;
	struct zpv_err *err;
	int rc;
	bool done;
};

/* Hands it to the CPU's thread and waits until that has taken it. One at a time. */
static int have_taken(struct vm *vm, struct dump *d, struct zpv_err *err)
{
	struct dump_request q = { .dump = d, .err = err };
	struct vm_requests *r = &vm->requests;

	pthread_mutex_lock(&vm->lock);
	while (r->dump && !r->over)
		pthread_cond_wait(&vm->changed, &vm->lock);
	if (!r->over) {
		r->dump = &q;
		tell(vm);
	}
	pthread_mutex_unlock(&vm->lock);
	vcpu_wake(vm->vcpu);
	pthread_mutex_lock(&vm->lock);
	while (!q.done && !r->over)
		pthread_cond_wait(&vm->changed, &vm->lock);
	if (r->dump == &q)
		r->dump = NULL;
	pthread_mutex_unlock(&vm->lock);
	return q.done ? q.rc : ended(err);
}

int vm_dump(struct vm *vm, const struct dump_spec *spec, struct dump_report *out,
	    struct zpv_err *err)
{
	AUTO(dump) struct dump *d = NULL;
	int rc = dump_open(vm, spec, &d, err);

	if (!rc)
		rc = have_taken(vm, d, err);
	if (!rc)
		rc = dump_finish(d, out, err);
	return rc;
}

void vm_dump_crashed(struct vm *vm)
{
	const struct dump_spec spec = { .path = vm->config.dump_on_crash };
	struct vm_crash_dump *c = &vm->crash_dump;
	AUTO(dump) struct dump *d = NULL;
	int rc = dump_open(vm, &spec, &d, &c->err);

	c->tried = true;
	if (!rc)
		rc = dump_take(d, &c->err);
	if (!rc)
		rc = dump_finish(d, &c->report, &c->err);
	(void)rc; /* the same as the code in err */
}

/* --- The CPU's thread --------------------------------------------------------------------------- */

/* Under the lock, which is free meanwhile. */
static void take(struct vm *vm)
{
	struct dump_request *q = vm->requests.dump;
	int rc;

	pthread_mutex_unlock(&vm->lock);
	rc = dump_take(q->dump, q->err);
	pthread_mutex_lock(&vm->lock);
	q->rc = rc;
	q->done = true;
	vm->requests.dump = NULL;
	tell(vm);
}

void vm_serve(struct vm *vm)
{
	struct vm_requests *r = &vm->requests;

	pthread_mutex_lock(&vm->lock);
	r->holding = true;
	pthread_cond_broadcast(&vm->changed);
	while (!atomic_load(&vm->stop) && (r->paused || r->dump)) {
		if (r->dump)
			take(vm);
		else
			pthread_cond_wait(&vm->changed, &vm->lock);
	}
	r->holding = false;
	pthread_mutex_unlock(&vm->lock);
}

void vm_serve_end(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->requests.over = true;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}
