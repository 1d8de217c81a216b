// SPDX-License-Identifier: MIT
/*
 * I/O instructions of a machine without channel subsystem (PoP chapter 14; machine.md section 11,
 * model a). A guest's are intercepted.
 */
#include "control_priv.h"

/*
 * CSCH, HSCH, MSCH, SSCH, STSCH, TSCH, RSCH, STCPS, RCHP, CHSC, SIGA, XSCH
 * CC: 3 not operational.
 */
HANDLER(io_absent)
{
	set_cc(3);
	NEXT(2);
}

/* SET ADDRESS LIMIT, SET CHANNEL MONITOR: no effect, no CC. */
HANDLER(io_ignored)
{
	(void)cpu;
	NEXT(2);
}

/* TEST PENDING INTERRUPTION    TPI D2(B2)    [S]  B236    CC: 0 none. */
HANDLER(tpi)
{
	set_cc(0);
	NEXT(2);
}

/* STORE CHANNEL REPORT WORD    STCRW D2(B2)    [S]  B239    CC: 1 none; Linux asks until then. */
HANDLER(stcrw)
{
	set_cc(1);
	NEXT(2);
}
