/* SPDX-License-Identifier: MIT */
/*
 * libzpv: how a failure is told.
 *
 * Every function that can fail returns 0 or a negative enum zpv_err_code and, where it takes a
 * struct zpv_err, fills it with the same code and one line of text for a person. The object is
 * plain memory that the caller owns and must give; nothing has to be freed.
 */
#ifndef ZPV_ERROR_H
#define ZPV_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#define ZPV_API	       __attribute__((visibility("default")))
#define ZPV_MUST_CHECK __attribute__((warn_unused_result))

enum zpv_err_code {
	ZPV_ERR_USAGE = 1, /* arguments that do not fit together */
	ZPV_ERR_FORMAT,	   /* the input is not what it claims to be */
	ZPV_ERR_IO,	   /* the system refused to read or write */
	ZPV_ERR_NOMEM,	   /* memory, or memory that can be locked, is exhausted */
	ZPV_ERR_KEY,	   /* a key of the wrong size or kind, or one that does not open this */
	ZPV_ERR_VERIFY,	   /* a certificate or an image failed its verification */
	ZPV_ERR_EXISTS,	   /* the output exists already */
	ZPV_ERR_CRYPTO,	   /* the cryptographic library failed */
	ZPV_ERR_NETWORK,   /* a download failed */
	ZPV_ERR_CANCELLED, /* the caller asked to stop */
};

#define ZPV_ERR_TEXT_SIZE 1024

struct zpv_err {
	int code;		      /* enum zpv_err_code, 0 when nothing failed */
	char text[ZPV_ERR_TEXT_SIZE]; /* one line without a newline, outermost context first */
};

#ifdef __cplusplus
}
#endif
#endif
