#include "proto/entry_month.h"

#include "proto/scan.h"

/* clang-format off */
/* English comes first and is found without this table. Only names that mean one month in all these languages are
 * here. Bytes above 127: UTF-8, then the same in ISO 8859-1 or, for Russian, in KOI8-R and Windows-1251. */
static const struct {
	const char *name;
	unsigned char month;
} months[] = {
	{ "january", 1 }, { "february", 2 }, { "march", 3 }, { "april", 4 }, { "june", 6 }, { "july", 7 },
	{ "august", 8 }, { "sept", 9 }, { "september", 9 }, { "october", 10 }, { "november", 11 }, { "december", 12 },
	/* German */
	{ "m\303\244r", 3 }, { "m\344r", 3 }, { "m\303\244rz", 3 }, { "m\344rz", 3 }, { "mrz", 3 }, { "mai", 5 },
	{ "juni", 6 }, { "juli", 7 }, { "okt", 10 }, { "dez", 12 },
	/* French */
	{ "janv", 1 }, { "f\303\251vr", 2 }, { "f\351vr", 2 }, { "f\303\251v", 2 }, { "f\351v", 2 }, { "fevr", 2 },
	{ "mars", 3 }, { "avr", 4 }, { "avril", 4 }, { "juin", 6 }, { "juil", 7 }, { "ao\303\273t", 8 },
	{ "ao\373t", 8 },
	{ "aout", 8 }, { "d\303\251c", 12 }, { "d\351c", 12 },
	/* Spanish, Portuguese, Italian */
	{ "ene", 1 }, { "fev", 2 }, { "abr", 4 }, { "ago", 8 }, { "dic", 12 }, { "set", 9 }, { "out", 10 },
	{ "gen", 1 }, { "mag", 5 }, { "giu", 6 }, { "lug", 7 }, { "ott", 10 },
	/* Dutch, Danish, Norwegian, Swedish, Finnish */
	{ "mrt", 3 }, { "mei", 5 }, { "maj", 5 }, { "des", 12 },
	{ "tammi", 1 }, { "helmi", 2 }, { "maalis", 3 }, { "huhti", 4 }, { "touko", 5 }, { "kes\303\244", 6 },
	{ "hein\303\244", 7 }, { "elo", 8 }, { "syys", 9 }, { "loka", 10 }, { "marras", 11 }, { "joulu", 12 },
	/* Polish, Czech, Hungarian, Turkish */
	{ "sty", 1 }, { "lut", 2 }, { "kwi", 4 }, { "cze", 6 }, { "lip", 7 }, { "sie", 8 }, { "wrz", 9 },
	{ "pa\305\272", 10 }, { "gru", 12 }, { "led", 1 }, { "\303\272no", 2 }, { "b\305\231e", 3 }, { "dub", 4 },
	{ "kv\304\233", 5 }, { "srp", 8 }, { "z\303\241\305\231", 9 }, { "\305\231\303\255j", 10 }, { "pro", 12 },
	{ "febr", 2 }, { "m\303\241rc", 3 }, { "m\341rc", 3 }, { "\303\241pr", 4 }, { "\341pr", 4 },
	{ "m\303\241j", 5 },
	{ "m\341j", 5 }, { "j\303\272n", 6 }, { "j\372n", 6 }, { "j\303\272l", 7 }, { "j\372l", 7 }, { "szept", 9 },
	{ "oca", 1 }, { "\305\236ub", 2 }, { "nis", 4 }, { "haz", 6 }, { "tem", 7 }, { "a\304\237u", 8 }, { "eyl", 9 },
	{ "eki", 10 }, { "kas", 11 }, { "ara", 12 },
	/* Russian */
	{ "\321\217\320\275\320\262", 1 }, { "\321\204\320\265\320\262", 2 }, { "\320\274\320\260\321\200", 3 },
	{ "\320\260\320\277\321\200", 4 }, { "\320\274\320\260\320\271", 5 }, { "\320\274\320\260\321\217", 5 },
	{ "\320\270\321\216\320\275", 6 }, { "\320\270\321\216\320\273", 7 }, { "\320\260\320\262\320\263", 8 },
	{ "\321\201\320\265\320\275", 9 }, { "\320\276\320\272\321\202", 10 }, { "\320\275\320\276\321\217", 11 },
	{ "\320\264\320\265\320\272", 12 },
	{ "\321\316\327", 1 }, { "\306\305\327", 2 }, { "\315\301\322", 3 }, { "\301\320\322", 4 },
	{ "\315\301\312", 5 },
	{ "\311\300\316", 6 }, { "\311\300\314", 7 }, { "\301\327\307", 8 }, { "\323\305\316", 9 },
	{ "\317\313\324", 10 },
	{ "\316\317\321", 11 }, { "\304\305\313", 12 },
	{ "\377\355\342", 1 }, { "\364\345\342", 2 }, { "\354\340\360", 3 }, { "\340\357\360", 4 },
	{ "\354\340\351", 5 },
	{ "\350\376\355", 6 }, { "\350\376\353", 7 }, { "\340\342\343", 8 }, { "\361\345\355", 9 },
	{ "\356\352\362", 10 },
	{ "\355\356\377", 11 }, { "\344\345\352", 12 },
};
/* clang-format on */

static unsigned english(const char *s)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	char a = scan_lower(s[0]), b = scan_lower(s[1]), c = scan_lower(s[2]);

	for (size_t i = 0; i < 12; i++)
		if (names[i * 3] == a && names[i * 3 + 1] == b && names[i * 3 + 2] == c)
			return (unsigned)i + 1;
	return 0;
}

unsigned entry_month(const char *s, size_t n)
{
	unsigned month;

	while (n > 0 && (s[n - 1] == '.' || s[n - 1] == ','))
		n--;
	if (n < 3 || n > 12 || scan_is_digit(s[0]))
		return 0;
	month = n == 3 ? english(s) : 0;
	for (size_t i = 0; month == 0 && i < sizeof months / sizeof *months; i++)
		if (scan_is(s, n, months[i].name))
			month = months[i].month;
	return month;
}
