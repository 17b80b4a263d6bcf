/* Translates standard input, a sentence a line, with the native runtime.

   cc -std=c99 translate.c -I include -L . -ltfcompress -Wl,-rpath,. -o translate
   TFCOMPRESS_LITERT=libLiteRt.so ./translate BUNDLE < source.txt > translations.txt */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tfcompress.h"

/* A line of any length. */
typedef struct {
  char* text;
  size_t size;
  size_t capacity;
} line_buffer;

static int fail(void) {
  fprintf(stderr, "error: %s\n", tfc_last_error());
  return 2;
}

static int fail_at(const char* stream, const char* reason) {
  fprintf(stderr, "error: standard %s: %s\n", stream, reason);
  return 2;
}

/* Reads the next line without its end: 1, or 0 where there is none, or -1 without memory. A line
   that cannot be read to its end is none. */
static int read_line(FILE* file, line_buffer* line) {
  int byte = getc(file);
  line->size = 0;
  if (byte == EOF) return 0;
  for (; byte != EOF && byte != '\n'; byte = getc(file)) {
    if (line->size == line->capacity) {
      size_t capacity = line->capacity * 2 + 256;
      char* text = realloc(line->text, capacity);
      if (text == NULL) return -1;
      line->text = text;
      line->capacity = capacity;
    }
    line->text[line->size++] = (char)byte;
  }
  if (line->size > 0 && line->text[line->size - 1] == '\r') --line->size;
  return !ferror(file);
}

static int translate(tfc_translator* translator, const tfc_search* search, line_buffer* line) {
  static const char byte_order_mark[] = "\xEF\xBB\xBF";
  unsigned long number;
  int found, code = 0;
  for (number = 1; (found = read_line(stdin, line)) > 0; ++number) {
    tfc_result* result = NULL;
    const char* text = line->text == NULL ? "" : line->text;
    size_t size = line->size;
    if (number == 1 && size >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
      text += 3;
      size -= 3;
    }
    if (tfc_translate(translator, text, size, search, &result) != TFC_OK) {
      fprintf(stderr, "error: line %lu: %s\n", number, tfc_last_error());
      return 2;
    }
    if (result->num_parts > 1) {
      fprintf(stderr, "line %lu: too long; translated in %lu parts\n", number,
              (unsigned long)result->num_parts);
    }
    if (puts(result->hypotheses[0]->text) == EOF) code = fail_at("output", strerror(errno));
    tfc_free_result(result);
    if (code != 0) return code;
  }
  if (ferror(stdin)) return fail_at("input", strerror(errno));
  if (found < 0) fprintf(stderr, "error: line %lu does not fit into memory\n", number);
  return found < 0 ? 2 : 0;
}

int main(int count, char** words) {
  tfc_translator* translator = NULL;
  tfc_search search = TFC_DEFAULT_SEARCH;
  line_buffer line = {NULL, 0, 0};
  int code;
  if (count != 2) {
    fprintf(stderr, "usage: translate BUNDLE < source.txt\n");
    return 2;
  }
  /* A file that is opened below would take the place of a closed stream. */
  if (fcntl(0, F_GETFD) < 0) return fail_at("input", strerror(errno));
  if (fcntl(1, F_GETFD) < 0) return fail_at("output", strerror(errno));
  search.beam_size = 4;
  if (tfc_open(words[1], NULL, &translator) != TFC_OK) return fail();
  code = translate(translator, &search, &line);
  if (fflush(stdout) == EOF && code == 0) code = fail_at("output", strerror(errno));
  free(line.text);
  tfc_free_translator(translator);
  return code;
}
