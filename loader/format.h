/* SPDX-License-Identifier: MIT */
/*
 * A very small vsnprintf().
 */
#ifndef LOADER_FORMAT_H
#define LOADER_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/**
 * format() - format one line
 * @buf:  receives the text and a NUL
 * @size: bytes in @buf, at least 1; longer text is cut off
 * @fmt:  knows %s, %x, %lx, %u, %lu, %% and no flags or widths
 * Return: length of the text in @buf without the NUL
 */
size_t format(char *buf, size_t size, const char *fmt, va_list args);

#endif
