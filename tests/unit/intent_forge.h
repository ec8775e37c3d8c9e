/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A node that makes trees of objects, also such as no node should make. Not here: tests.
 */
#ifndef TESTS_UNIT_INTENT_FORGE_H
#define TESTS_UNIT_INTENT_FORGE_H

#include "core/config_file.h"
#include "core/intent.h"
#include "signer.h"

#define HEX_BYTES (2 * HASH_BYTES + 1)

#define WEB                                                                                                            \
	"vip add web tcp/192.0.2.1:80,tcp/192.0.2.1:443 scheduler wrr\n"                                               \
	"backend add web 10.0.0.1:80 weight 3\nbackend add web 10.0.0.2:80\n"
#define DNS "vip add dns udp/192.0.2.2:53\nbackend add dns [2001:db8::1]:53\n"
#define ROSTER                                                                                                         \
	"roster add a ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= role voter,admin\n"                         \
	"roster add b ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw= site s1\n"

struct forge {
	struct signer node;	/* do not move it */
	struct objects objects; /* to be freed by the caller */
	struct object_name root;
	struct intent_root says;
};

void forge_open(struct forge *f);
void forge_of(struct forge *f, const char *text); /* with the tree of this configuration */

struct config *forge_parse(const char *text);		   /* owned by the caller */
void forge_build(struct forge *f, const struct config *c); /* a further tree, to f->root */
struct object_name forge_add(struct forge *f, const char *text);

/* A root of this text, rightly signed. */
struct object_name forge_root(struct forge *f, const char *body);

/* The root's text before its signature, with the first @from in it as @to; owned by the caller. */
char *forge_body(const struct forge *f, const char *from, const char *to);

#endif
