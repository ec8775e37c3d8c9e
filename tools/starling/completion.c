// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Completion for bash: the script asks the tool, the tool asks the command table. Not here:
 * the table.
 */
#include <stdio.h>
#include <string.h>

#include "starling.h"

/* Options are skipped: they may stand before the words only. */
static const char script[] = "_starling()\n"
			     "{\n"
			     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} i=1\n"
			     "\twhile [[ $i -lt $COMP_CWORD && ${COMP_WORDS[i]} == -* ]]; do\n"
			     "\t\tcase ${COMP_WORDS[i]} in\n"
			     "\t\t-s | -w | -t | --socket | --watch | --timeout | --color) i=$((i + 1)) ;;\n"
			     "\t\tesac\n"
			     "\t\ti=$((i + 1))\n"
			     "\tdone\n"
			     "\tmapfile -t COMPREPLY < <(compgen -W \"$(\"${COMP_WORDS[0]}\" --complete \\\n"
			     "\t\t\"${COMP_WORDS[@]:i:COMP_CWORD-i}\" 2>/dev/null)\" -- \"$cur\")\n"
			     "}\n"
			     "complete -o default -F _starling starling\n";

int completion_print(const char *shell)
{
	if (strcmp(shell, "bash")) {
		fprintf(stderr, "starling: there is completion for bash, not for \"%s\"\n", shell);
		return request_fault_status(FAULT_USAGE);
	}
	fputs(script, stdout);
	return 0;
}

int completion_words(const char *const *words, size_t count)
{
	struct buf out = BUF_INIT;

	command_complete(words, count, &out);
	fputs(buf_text(&out), stdout);
	buf_free(&out);
	return 0;
}
