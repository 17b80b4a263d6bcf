/* Translates standard input, a sentence a line, with the native runtime.

   cc -std=c99 translate.c -I include -L . -ltfcompress -Wl,-rpath,. -o translate
   TFCOMPRESS_LITERT=libLiteRt.so ./translate BUNDLE < source.txt > translations.txt */
#include <stdio.h>
#include <string.h>

#include "tfcompress.h"

static int fail(void) {
  fprintf(stderr, "error: %s\n", tfc_last_error());
  return 2;
}

int main(int count, char** words) {
  tfc_translator* translator = NULL;
  tfc_search search = TFC_DEFAULT_SEARCH;
  char line[65536];
  if (count != 2) {
    fprintf(stderr, "usage: translate BUNDLE < source.txt\n");
    return 2;
  }
  search.beam_size = 4;
  if (tfc_open(words[1], NULL, &translator) != TFC_OK) return fail();
  while (fgets(line, sizeof(line), stdin) != NULL) {
    tfc_result* result = NULL;
    if (tfc_translate(translator, line, strcspn(line, "\n"), &search, &result) != TFC_OK) {
      tfc_free_translator(translator);
      return fail();
    }
    puts(result->hypotheses[0].text);
    tfc_free_result(result);
  }
  tfc_free_translator(translator);
  return 0;
}
