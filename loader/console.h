/* SPDX-License-Identifier: MIT */
/*
 * Output on the operator's line mode console and on the ASCII console.
 */
#ifndef LOADER_CONSOLE_H
#define LOADER_CONSOLE_H

#define CONSOLE_COLUMNS 80

/* Tell SCLP that we send messages. After a reset of the subsystem it must be told again. */
void console_open(void);

/* Tell SCLP that we send nothing any more. */
void console_close(void);

/* Print one line of at most CONSOLE_COLUMNS characters, without a line end in @fmt. */
__attribute__((format(printf, 1, 2))) void print(const char *fmt, ...);

/* Print one line, then stop in a disabled wait with @code as PSW address. */
__attribute__((format(printf, 2, 3))) _Noreturn void panic(unsigned long code, const char *fmt,
							   ...);

/* panic() codes, se-image.md section 3.2 */
enum panic_code {
	PANIC_INTERNAL = 0x4511,
	PANIC_NO_FACILITY = 0x4607,
	PANIC_PV = 0x4608,
};

#endif
