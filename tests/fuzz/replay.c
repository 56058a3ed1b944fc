/*
 * fuzz_NAME [-m N] FILE|DIRECTORY ...: gives each file to the target, and N
 * variants of it, which are the same at each run.  Prints how many it gave.
 */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX (1 << 20)

static unsigned long inputs, mutations;
static uint64_t state;

static uint32_t
chance(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return below == 0 ? 0 : (uint32_t)(state >> 33) % below;
}

/* From memory of exactly that size. */
static void
give(const uint8_t *bytes, size_t size)
{
	uint8_t *exact = malloc(size + 1);

	MUST(exact != NULL);
	memcpy(exact + 1, bytes, size);
	LLVMFuzzerTestOneInput(exact + 1, size);
	free(exact);
	inputs++;
}

/* A bit, a byte, a piece taken out or doubled, an end cut off. */
static size_t
change(uint8_t *bytes, size_t size)
{
	uint32_t at = chance((uint32_t)size), n;

	if (size == 0)
		return 0;
	n = chance((uint32_t)(size - at)) % 64;
	switch (chance(6)) {
	case 0:
		bytes[at] ^= (uint8_t)(1 << chance(8));
		break;
	case 1:
		bytes[at] = (uint8_t)chance(256);
		break;
	case 2:
		memmove(bytes + at, bytes + at + n, size - at - n);
		return size - n;
	case 3:
		if (size + n > INPUT_MAX)
			break;
		memmove(bytes + at + n, bytes + at, size - at);
		return size + n;
	case 4:
		return at;
	case 5:
		memmove(bytes + at, bytes + chance((uint32_t)(at + 1)), n);
		break;
	}
	return size;
}

static void
give_file(const char *path)
{
	static uint8_t bytes[INPUT_MAX], changed[INPUT_MAX];
	FILE *file = fopen(path, "r");
	size_t size, n;
	unsigned long i;

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	size = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	give(bytes, size);
	for (i = 0; i < mutations; i++) {
		state = i * 2654435761u + size;
		memcpy(changed, bytes, size);
		n = change(changed, size);
		while (chance(2))
			n = change(changed, n);
		give(changed, n);
	}
}

static int
is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
give_all(const char *path)
{
	struct dirent **files;
	struct stat st;
	char name[4096];
	int i, n;

	if (stat(path, &st) == -1 || !S_ISDIR(st.st_mode)) {
		give_file(path);
		return;
	}
	n = scandir(path, &files, is_file, alphasort);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof name, "%s/%s", path, files[i]->d_name);
		give_file(name);
		free(files[i]);
	}
	if (n != -1)
		free(files);
}

int
main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "m:")) != -1) {
		if (option != 'm')
			return 2;
		mutations = strtoul(optarg, NULL, 10);
	}
	for (; optind < argc; optind++)
		give_all(argv[optind]);
	printf("%lu inputs\n", inputs);
	return inputs == 0;
}
