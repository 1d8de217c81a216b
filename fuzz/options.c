// SPDX-License-Identifier: MIT
/*
 * Undefined behavior ends a fuzz target like any crash, so that it is recorded.
 */
const char *__ubsan_default_options(void);

__attribute__((visibility("default"))) const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1";
}
