// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Times as text. Not here: clocks, local time.
 */
#include "base/rfc3339.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS_PER_DAY 86400000ULL

struct date {
	unsigned int year, month, day;
};

/* Days since 1970-01-01 to a date and back: H. Hinnant, "chrono-compatible low-level date algorithms". */
static struct date date_of(unsigned int days)
{
	unsigned int z = days + 719468, era = z / 146097, doe = z - era * 146097;
	unsigned int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned int mp = (5 * doy + 2) / 153;
	struct date d = {.year = yoe + era * 400, .month = mp < 10 ? mp + 3 : mp - 9};

	d.day = doy - (153 * mp + 2) / 5 + 1;
	d.year += d.month <= 2;
	return d;
}

static unsigned int days_of(struct date d)
{
	unsigned int y = d.year - (d.month <= 2), era = y / 400, yoe = y - era * 400;
	unsigned int doy = (153 * (d.month > 2 ? d.month - 3 : d.month + 9) + 2) / 5 + d.day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

const char *rfc3339_format(__u64 unix_ms, char text[RFC3339_TEXT_BYTES])
{
	unsigned int day_ms, second;
	struct date d;

	if (unix_ms > RFC3339_UNIX_MS_MAX)
		unix_ms = RFC3339_UNIX_MS_MAX;
	d = date_of((unsigned int)(unix_ms / MS_PER_DAY));
	day_ms = (unsigned int)(unix_ms % MS_PER_DAY);
	second = day_ms / 1000;
	snprintf(text, RFC3339_TEXT_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", d.year % 10000, d.month % 100,
		 d.day % 100, second / 3600 % 24, second / 60 % 60, second % 60, day_ms % 1000);
	return text;
}

int rfc3339_parse(const char *text, __u64 *ret_unix_ms)
{
	unsigned int hour, minute, second, ms;
	char again[RFC3339_TEXT_BYTES];
	struct date d;
	__u64 unix_ms;

	if (strlen(text) >= RFC3339_TEXT_BYTES ||
	    sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u.%3uZ", &d.year, &d.month, &d.day, &hour, &minute, &second, &ms) != 7)
		return -EINVAL;
	if (d.year < 1970 || !d.month || d.month > 12 || !d.day || d.day > 31 || hour > 23 || minute > 59 ||
	    second > 59)
		return -EINVAL;
	unix_ms = days_of(d) * MS_PER_DAY + ((hour * 60ULL + minute) * 60 + second) * 1000 + ms;
	/* Whatever else could be odd (blanks, signs, 30 February) would not be written so. */
	if (strcmp(rfc3339_format(unix_ms, again), text) != 0)
		return -EINVAL;
	*ret_unix_ms = unix_ms;
	return 0;
}
