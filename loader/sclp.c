// SPDX-License-Identifier: MIT
/*
 * Execution of SCLP commands: SERVICE CALL and the service signal.
 *
 * se-image.md section 3.2 step 5; machine.md section 7.1.
 */
#include "sclp.h"

#include <stdbool.h>

#include "cpu.h"
#include "lowcore.h"
#include "mem.h"

#define EXT_SERVICE_SIGNAL 0x2401
#define CC_BUSY		   2

void *sclp_sccb(void)
{
	return memset(storage_at(SCCB_PAGE), 0, PAGE_SIZE);
}

/*
 * The external interruption parameter holds the SCCB address and, in its last bits, "events
 * pending". A signal for events alone, or one that was left over from whoever loaded us, is not the
 * end of our command unless the response code is there as well.
 */
static bool command_is_complete(const volatile struct sccb_header *sccb)
{
	if (lowcore()->ext_code != EXT_SERVICE_SIGNAL)
		return false;
	return (lowcore()->ext_params & ~7u) == SCCB_PAGE || sccb->response;
}

static void wait_for_completion(const volatile struct sccb_header *sccb)
{
	const uint64_t cr0 = cr0_store();

	cr0_load(CR0_SERVICE_SIGNAL);
	do {
		external_wait();
	} while (!command_is_complete(sccb));
	cr0_load(cr0);
}

uint16_t sclp_execute(enum sclp_cmd cmd)
{
	struct sccb_header *sccb = storage_at(SCCB_PAGE);
	int cc;

	do {
		cc = servc(cmd, sccb);
	} while (cc == CC_BUSY);
	if (cc)
		return 0;
	wait_for_completion(sccb);
	return sccb->response;
}
