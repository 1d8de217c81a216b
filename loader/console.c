// SPDX-License-Identifier: MIT
/*
 * Console output by SCLP event buffers, and panic().
 *
 * machine.md section 7.4. Each line goes to both consoles by a command of its own, since SCLP
 * refuses a command with any event type that it cannot receive. Refusals are ignored: there is no
 * other place where one could complain.
 */
#include "console.h"

#include <stdarg.h>
#include <stdint.h>

#include "cpu.h"
#include "ebcdic.h"
#include "format.h"
#include "mem.h"
#include "sclp.h"

static void set_event_masks(uint32_t cp_send)
{
	struct sccb_event_mask *sccb = sclp_sccb();

	sccb->header.len = sizeof(*sccb);
	sccb->mask_len = sizeof(sccb->cp_send);
	sccb->cp_send = cp_send;
	sclp_execute(SCLP_WRITE_EVENT_MASK);
}

void console_open(void)
{
	set_event_masks(SCLP_EVENT_BIT(SCLP_EVENT_MESSAGE) | SCLP_EVENT_BIT(SCLP_EVENT_VT220));
}

void console_close(void)
{
	set_event_masks(0);
}

static void write_line_mode(const char *line, size_t len)
{
	struct sccb_message *sccb = sclp_sccb();

	sccb->text.len = (uint16_t)(sizeof(sccb->text) + len);
	sccb->text.type = MDB_TEXT;
	sccb->text.line_flags = MDB_LINE_END_OF_TEXT;
	ebcdic_from_ascii(sccb->text.text, line, len);
	sccb->general.len = sizeof(sccb->general);
	sccb->general.type = MDB_GENERAL;
	sccb->mdb.len = (uint16_t)(sizeof(sccb->mdb) + sizeof(sccb->general) + sccb->text.len);
	sccb->mdb.type = MDB_TYPE;
	sccb->mdb.tag = MDB_TAG;
	sccb->mdb.revision = MDB_REVISION;
	sccb->event.len = (uint16_t)(sizeof(sccb->event) + sccb->mdb.len);
	sccb->event.type = SCLP_EVENT_MESSAGE;
	sccb->header.len = (uint16_t)(sizeof(sccb->header) + sccb->event.len);
	sclp_execute(SCLP_WRITE_EVENT_DATA);
}

static void write_vt220(const char *line, size_t len)
{
	struct sccb_vt220 *sccb = sclp_sccb();

	memcpy(sccb->text, line, len);
	memcpy(sccb->text + len, "\r\n", 2);
	sccb->event.len = (uint16_t)(sizeof(sccb->event) + len + 2);
	sccb->event.type = SCLP_EVENT_VT220;
	sccb->header.len = (uint16_t)(sizeof(sccb->header) + sccb->event.len);
	sclp_execute(SCLP_WRITE_EVENT_DATA);
}

static void vprint(const char *fmt, va_list args)
{
	char line[CONSOLE_COLUMNS + 1];
	const size_t len = format(line, sizeof(line), fmt, args);

	write_line_mode(line, len);
	write_vt220(line, len);
}

void print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprint(fmt, args);
	va_end(args);
}

void panic(unsigned long code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprint(fmt, args);
	va_end(args);
	disabled_wait(code);
}
