// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as a configuration file: errors that name a place, or a configuration whose export
 * reads as the same one. Not here: the control socket's envelope.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_file.h"
#include "fuzz.h"

static void errors_name_places(const struct err_list *errors)
{
	struct buf out = BUF_INIT;
	size_t i;

	REQUIRE(errors->count);
	for (i = 0; i < errors->count; i++) {
		REQUIRE(errors->err[i].code && errors->err[i].text[0]);
		REQUIRE(!strcmp(errors->err[i].file, "fuzz.conf"));
		/* What the whole breaks (too many of something) has no place. */
		REQUIRE(errors->err[i].line >= 0 && errors->err[i].column >= !!errors->err[i].line);
	}
	err_list_print(errors, &out);
	REQUIRE(out.len && out.text[out.len - 1] == '\n');
	buf_free(&out);
}

static void export_reads_as_the_same(const struct config *c)
{
	struct buf first = BUF_INIT, second = BUF_INIT, diff = BUF_INIT;
	struct err_list errors = {0};
	struct config *again = NULL, *copy = config_copy(c);

	config_export(c, &first);
	REQUIRE(!config_read(buf_text(&first), first.len, "export", NULL, &again, &errors));
	config_export(again, &second);
	REQUIRE(!strcmp(buf_text(&first), buf_text(&second)));
	REQUIRE(copy && !config_diff(c, again, &diff) && !config_diff(copy, c, &diff) && !diff.len);
	err_list_free(&errors);
	config_free(again);
	config_free(copy);
	buf_free(&first);
	buf_free(&second);
	buf_free(&diff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct err_list errors = {0};
	struct config *c = NULL;

	if (config_read((const char *)data, len, "fuzz.conf", NULL, &c, &errors))
		errors_name_places(&errors);
	else
		export_reads_as_the_same(c);
	config_free(c);
	err_list_free(&errors);
	return 0;
}
