#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "json.h"
#include "text.h"

char *
ctl_texts(void)
{
	static const char *const codes[LANGUAGES] = { "en", "tr" };
	char *json = NULL, quoted[4096];
	size_t size, i, l;
	FILE *out = open_memstream(&json, &size);

	if (out == NULL)
		return NULL;
	for (i = 0; i < texts_count; i++)
		for (l = 0; l < LANGUAGES; l++) {
			json_quote(quoted, sizeof quoted, texts[i].in[l],
			    strlen(texts[i].in[l]));
			fprintf(out, "%c{\"name\":\"%s\",\"language\":\"%s\","
			    "\"template\":%s}", i + l ? ',' : '[',
			    texts[i].name, codes[l], quoted);
		}
	fputs("]", out);
	if (fclose(out) == 0)
		return json;
	free(json);
	return NULL;
}
