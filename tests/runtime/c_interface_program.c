/* What tfcompress.h promises, as a program in C sees it:

       c_interface_program CHECK TRANSLATION LANGUAGE_MODEL ENCODER MODEL

   with a folder of each type of bundle. Ends with 1 and a line for each promise that is broken. */

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tfcompress.h"

#define NUM_TRIES 100000
#define TEXT "two dogs play .\n\nthe man sees an old woman . a man runs in the park ."

static int failures = 0;

#define CHECK(holds)                                                            \
  do {                                                                          \
    if (!(holds)) {                                                             \
      fprintf(stderr, "line %d: %s: %s\n", __LINE__, #holds, tfc_last_error()); \
      ++failures;                                                               \
    }                                                                           \
  } while (0)

/* A structure, and fields of later versions. */
#define LATER(type) \
  struct {          \
    type known;     \
    size_t unknown; \
  }

typedef struct {
  tfc_translator* translator;
  tfc_language_model* language_model;
  tfc_encoder* encoder;
  tfc_model* model;
} handles;

static const char* folders[4];

static handles open_all(void) {
  handles all = {NULL, NULL, NULL, NULL};
  CHECK(tfc_open(folders[0], NULL, &all.translator) == TFC_OK);
  CHECK(tfc_open_language_model(folders[1], NULL, &all.language_model) == TFC_OK);
  CHECK(tfc_open_encoder(folders[2], NULL, &all.encoder) == TFC_OK);
  CHECK(tfc_open_model(folders[3], NULL, &all.model) == TFC_OK);
  if (failures > 0) exit(1);
  return all;
}

static void free_all(handles all) {
  tfc_free_translator(all.translator);
  tfc_free_language_model(all.language_model);
  tfc_free_encoder(all.encoder);
  tfc_free_model(all.model);
}

static tfc_status translate(tfc_translator* translator, const tfc_search* search, char* text) {
  tfc_result* result = NULL;
  const tfc_status status = tfc_translate(translator, TEXT, strlen(TEXT), search, &result);
  if (status != TFC_OK) return status;
  CHECK(result->struct_size == sizeof(tfc_result));
  CHECK(result->hypotheses[0]->struct_size == sizeof(tfc_hypothesis));
  if (text != NULL) strcpy(text, result->hypotheses[0]->text);
  tfc_free_result(result);
  return TFC_OK;
}

static tfc_status generate(tfc_language_model* model, const tfc_generation* generation,
                           size_t* num_ids) {
  const int32_t ids[] = {5, 9};
  tfc_result* result = NULL;
  const tfc_status status = tfc_generate_ids(model, ids, 2, generation, &result);
  if (status != TFC_OK) return status;
  if (num_ids != NULL) *num_ids = result->hypotheses[0]->num_ids;
  tfc_free_result(result);
  return TFC_OK;
}

static tfc_status encode(tfc_encoder* encoder, float* first) {
  const int32_t ids[] = {2, 5, 6, 7, 8, 3};
  tfc_encoding* encoding = NULL;
  const tfc_status status = tfc_encode_ids(encoder, ids, NULL, 6, &encoding);
  if (status != TFC_OK) return status;
  CHECK(encoding->struct_size == sizeof(tfc_encoding));
  CHECK(encoding->outputs[0]->struct_size == sizeof(tfc_output));
  *first = encoding->outputs[0]->values[0];
  tfc_free_encoding(encoding);
  return TFC_OK;
}

static const int32_t dims[] = {1, 4};
static float values[] = {1, 2, 3, 4};

static tfc_status run_model(tfc_model* model, const tfc_array* input, float* first) {
  const tfc_array usual = {sizeof(usual), "x", TFC_ARRAY_FLOAT32, 2, dims, values};
  tfc_arrays* outputs = NULL;
  const tfc_status status =
      tfc_run_model(model, "serving_default", 1, input == NULL ? &usual : input, &outputs);
  if (status != TFC_OK) return status;
  CHECK(outputs->struct_size == sizeof(tfc_arrays));
  CHECK(outputs->arrays[0]->struct_size == sizeof(tfc_array));
  *first = *(const float*)outputs->arrays[0]->data;
  tfc_free_arrays(outputs);
  return TFC_OK;
}

/* Structures. */

static void check_options(void) {
  tfc_translator* translator = NULL;
  LATER(tfc_options) later = {TFC_DEFAULT_OPTIONS, 0};
  tfc_options options = TFC_DEFAULT_OPTIONS;
  options.num_threads = -1; /* Of which an earlier header knows nothing. */
  options.struct_size = offsetof(tfc_options, num_threads);
  CHECK(tfc_open(folders[0], &options, &translator) == TFC_OK);
  tfc_free_translator(translator);
  options.struct_size = sizeof(options);
  CHECK(tfc_open(folders[0], &options, &translator) == TFC_INVALID_ARGUMENT);
  later.known.struct_size = sizeof(later);
  CHECK(tfc_open(folders[0], &later.known, &translator) == TFC_OK);
  tfc_free_translator(translator);
  later.unknown = 1;
  CHECK(tfc_open(folders[0], &later.known, &translator) == TFC_UNSUPPORTED);
}

static void check_search(tfc_translator* translator) {
  static const size_t impossible[] = {0, 3, sizeof(size_t) + 1, 1 << 20, (size_t)-8};
  LATER(tfc_search) later = {TFC_DEFAULT_SEARCH, 0};
  tfc_search search = TFC_DEFAULT_SEARCH;
  char usual[1000], text[1000];
  size_t i;
  CHECK(translate(translator, NULL, usual) == TFC_OK);
  search.num_banned_words = 99;
  search.struct_size = offsetof(tfc_search, target_prefix);
  CHECK(translate(translator, &search, text) == TFC_OK && strcmp(text, usual) == 0);
  search.beam_size = search.n_best = -5;
  search.struct_size = offsetof(tfc_search, beam_size);
  CHECK(translate(translator, &search, text) == TFC_OK && strcmp(text, usual) == 0);
  search.struct_size = sizeof(search);
  CHECK(translate(translator, &search, text) == TFC_INVALID_ARGUMENT);
  later.known.struct_size = sizeof(later);
  CHECK(translate(translator, &later.known, text) == TFC_OK && strcmp(text, usual) == 0);
  later.unknown = 1;
  CHECK(translate(translator, &later.known, text) == TFC_UNSUPPORTED);
  for (i = 0; i < sizeof(impossible) / sizeof(*impossible); ++i) {
    search.struct_size = impossible[i];
    CHECK(translate(translator, &search, text) == TFC_INVALID_ARGUMENT);
  }
}

static void check_generation(tfc_language_model* model) {
  LATER(tfc_generation) later = {TFC_DEFAULT_GENERATION, 0};
  tfc_generation generation = TFC_DEFAULT_GENERATION;
  size_t usual = 0, count = 0;
  CHECK(generate(model, NULL, &usual) == TFC_OK);
  generation.max_tokens = 0;
  generation.struct_size = offsetof(tfc_generation, max_tokens);
  CHECK(generate(model, &generation, &count) == TFC_OK && count == usual);
  generation.struct_size = sizeof(generation);
  CHECK(generate(model, &generation, &count) == TFC_INVALID_ARGUMENT);
  later.known.struct_size = sizeof(later);
  CHECK(generate(model, &later.known, &count) == TFC_OK && count == usual);
  later.unknown = 1;
  CHECK(generate(model, &later.known, &count) == TFC_UNSUPPORTED);
}

/* A description of an earlier version is filled no further, and one of a later version with
   zeros. */
#define CHECK_INFO(type, handle, describe, last)                           \
  do {                                                                     \
    LATER(type) later;                                                     \
    type info;                                                             \
    memset(&info, 0xAA, sizeof(info));                                     \
    info.struct_size = offsetof(type, last);                               \
    CHECK(describe(handle, &info) == TFC_OK);                              \
    CHECK(info.struct_size == offsetof(type, last));                       \
    CHECK(*(const unsigned char*)&info.last == 0xAA);                      \
    memset(&later, 0xAA, sizeof(later));                                   \
    later.known.struct_size = sizeof(later);                               \
    CHECK(describe(handle, &later.known) == TFC_OK);                       \
    CHECK(later.known.struct_size == sizeof(later) && later.unknown == 0); \
    CHECK(later.known.last > 0 && later.known.last < 1 << 30);             \
    info.struct_size = 5;                                                  \
    CHECK(describe(handle, &info) == TFC_INVALID_ARGUMENT);                \
  } while (0)

static void check_arrays(tfc_model* model) {
  const tfc_array input = {sizeof(LATER(tfc_array)), "x", TFC_ARRAY_FLOAT32, 2, dims, values};
  LATER(tfc_array) later;
  float usual = 0, first = 0;
  memset(&later, 0, sizeof(later));
  CHECK(run_model(model, NULL, &usual) == TFC_OK);
  later.known = input;
  CHECK(run_model(model, &later.known, &first) == TFC_OK && first == usual);
  later.unknown = 1;
  CHECK(run_model(model, &later.known, &first) == TFC_UNSUPPORTED);
  later.known.struct_size = offsetof(tfc_array, data); /* Which is missing then. */
  CHECK(run_model(model, &later.known, &first) == TFC_INVALID_ARGUMENT);
}

static void check_output(tfc_encoder* encoder) {
  static const float scores[] = {1, 2, 3};
  LATER(tfc_output) later = {{sizeof(later), "logits", 1, 3, scores}, 0};
  float probabilities[3] = {0, 0, 0};
  CHECK(tfc_probabilities(encoder, &later.known, probabilities) == TFC_OK);
  CHECK(probabilities[2] > probabilities[1] && probabilities[2] < 1);
  later.unknown = 1;
  CHECK(tfc_probabilities(encoder, &later.known, probabilities) == TFC_UNSUPPORTED);
  later.known.struct_size = offsetof(tfc_output, values);
  CHECK(tfc_probabilities(encoder, &later.known, probabilities) == TFC_INVALID_ARGUMENT);
}

static void check_structs(void) {
  const handles all = open_all();
  check_options();
  check_search(all.translator);
  check_generation(all.language_model);
  CHECK_INFO(tfc_info, all.translator, tfc_describe, bundle_bytes);
  CHECK_INFO(tfc_encoder_info, all.encoder, tfc_describe_encoder, bundle_bytes);
  CHECK_INFO(tfc_language_model_info, all.language_model, tfc_describe_language_model,
             bundle_bytes);
  check_arrays(all.model);
  check_output(all.encoder);
  free_all(all);
}

/* Files that are open, one after another in one file, as Android has assets. */

#define MOST_FILES 20

typedef struct {
  LATER(tfc_file) files[MOST_FILES];
  char names[MOST_FILES][100];
  size_t count;
} sections;

/* Puts the files of a bundle, whose names are lines of standard input until an empty one, into one
   file. */
static void pack(const char* folder, int archive, sections* found) {
  char line[100], path[4096], buffer[4096];
  uint64_t place = 7;
  found->count = 0;
  lseek(archive, (off_t)place, SEEK_SET);
  while (fgets(line, sizeof(line), stdin) != NULL && *line != '\n') {
    const tfc_file file = TFC_DEFAULT_FILE;
    size_t size = 0;
    ssize_t count;
    int source;
    line[strcspn(line, "\n")] = '\0';
    snprintf(path, sizeof(path), "%s/%s", folder, line);
    source = open(path, O_RDONLY);
    while ((count = read(source, buffer, sizeof(buffer))) > 0) {
      CHECK(write(archive, buffer, (size_t)count) == count);
      size += (size_t)count;
    }
    close(source);
    strcpy(found->names[found->count], line);
    found->files[found->count].known = file;
    found->files[found->count].known.struct_size = sizeof(found->files[0]);
    found->files[found->count].known.name = found->names[found->count];
    found->files[found->count].known.size = size;
    found->files[found->count].known.descriptor = archive;
    found->files[found->count].known.offset = place;
    found->files[found->count].unknown = 0;
    ++found->count;
    place += size;
  }
}

static void check_files(void) {
  const handles all = open_all();
  handles others = {NULL, NULL, NULL, NULL};
  const int archive = fileno(tmpfile());
  static sections found;
  tfc_file earlier[2] = {TFC_DEFAULT_FILE, TFC_DEFAULT_FILE};
  char usual[1000], text[1000];
  float first = 0, other = 0;
  size_t count = 0, other_count = 0;

  pack(folders[0], archive, &found);
  CHECK(tfc_open_files(&found.files[0].known, found.count, NULL, &others.translator) == TFC_OK);
  CHECK(lseek(archive, 0, SEEK_CUR) > 7); /* Where it was. */
  found.files[1].unknown = 1;
  CHECK(tfc_open_files(&found.files[0].known, found.count, NULL, &others.translator) ==
        TFC_UNSUPPORTED);
  found.files[1].unknown = 0;
  found.files[1].known.struct_size = sizeof(tfc_file);
  CHECK(tfc_open_files(&found.files[0].known, found.count, NULL, &others.translator) ==
        TFC_INVALID_ARGUMENT);
  found.files[1].known.struct_size = sizeof(found.files[0]);
  found.files[1].known.offset = 1 << 30;
  CHECK(tfc_open_files(&found.files[0].known, found.count, NULL, &others.translator) ==
        TFC_NOT_FOUND);
  found.files[1].known.offset = 0;
  found.files[1].known.descriptor = 12345;
  CHECK(tfc_open_files(&found.files[0].known, found.count, NULL, &others.translator) ==
        TFC_NOT_FOUND);

  pack(folders[1], archive, &found);
  CHECK(tfc_open_language_model_files(&found.files[0].known, found.count, NULL,
                                      &others.language_model) == TFC_OK);
  pack(folders[2], archive, &found);
  CHECK(tfc_open_encoder_files(&found.files[0].known, found.count, NULL, &others.encoder) ==
        TFC_OK);
  pack(folders[3], archive, &found);
  CHECK(tfc_open_model_files(&found.files[0].known, found.count, NULL, &others.model) == TFC_OK);
  CHECK(ftruncate(archive, 0) == 0);

  CHECK(translate(all.translator, NULL, usual) == TFC_OK);
  CHECK(translate(others.translator, NULL, text) == TFC_OK && strcmp(text, usual) == 0);
  CHECK(generate(all.language_model, NULL, &count) == TFC_OK);
  CHECK(generate(others.language_model, NULL, &other_count) == TFC_OK && count == other_count);
  CHECK(encode(all.encoder, &first) == TFC_OK);
  CHECK(encode(others.encoder, &other) == TFC_OK && first == other);
  CHECK(run_model(all.model, NULL, &first) == TFC_OK);
  CHECK(run_model(others.model, NULL, &other) == TFC_OK && first == other);

  /* An earlier header knew files in memory only. */
  earlier[0].struct_size = offsetof(tfc_file, descriptor);
  earlier[0].name = "manifest.json";
  earlier[0].size = 5;
  CHECK(tfc_open_files(earlier, 1, NULL, &others.translator) == TFC_INVALID_ARGUMENT);
  free_all(all);
  free_all(others);
}

/* A bundle whose files are cut short and replaced while it is open; their paths are lines of
   standard input. */
static void check_replaced(void) {
  const handles all = open_all();
  char usual[1000], text[1000], path[4096];
  float first[2], other[2];
  size_t count = 0, other_count = 0;
  CHECK(translate(all.translator, NULL, usual) == TFC_OK);
  CHECK(generate(all.language_model, NULL, &count) == TFC_OK);
  CHECK(encode(all.encoder, &first[0]) == TFC_OK);
  CHECK(run_model(all.model, NULL, &first[1]) == TFC_OK);
  while (fgets(path, sizeof(path), stdin) != NULL) {
    path[strcspn(path, "\n")] = '\0';
    CHECK(truncate(path, 100) == 0);
    CHECK(unlink(path) == 0);
  }
  CHECK(translate(all.translator, NULL, text) == TFC_OK && strcmp(text, usual) == 0);
  CHECK(generate(all.language_model, NULL, &other_count) == TFC_OK && count == other_count);
  CHECK(encode(all.encoder, &other[0]) == TFC_OK && other[0] == first[0]);
  CHECK(run_model(all.model, NULL, &other[1]) == TFC_OK && other[1] == first[1]);
  free_all(all);
}

/* Progress, cancelling and handles in use. */

typedef struct {
  handles all;
  size_t calls;
  size_t last_tokens;
  size_t cancel_at; /* The call that says to end it; 0: none. */
  int by_other;     /* Whether another thread is the one to do so, */
  int intrudes;     /* or computes with the handle. */
  char text[1000];
} following;

static void* cancel_all(void* handles_of) {
  const handles* const all = handles_of;
  tfc_cancel(all->translator);
  tfc_cancel_language_model(all->language_model);
  tfc_cancel_encoder(all->encoder);
  tfc_cancel_model(all->model);
  return NULL;
}

static void* intrude(void* handles_of) {
  const handles* const all = handles_of;
  const char* piece = NULL;
  int32_t id = 0;
  if (all->translator != NULL) {
    tfc_info info;
    tfc_result* ids = NULL;
    CHECK(translate(all->translator, NULL, NULL) == TFC_BUSY);
    CHECK(strstr(tfc_last_error(), "One call at a time") != NULL);
    info.struct_size = sizeof(info);
    CHECK(tfc_describe(all->translator, &info) == TFC_OK);
    CHECK(tfc_tokenize(all->translator, TEXT, strlen(TEXT), &ids) == TFC_OK);
    tfc_free_result(ids);
  } else {
    CHECK(generate(all->language_model, NULL, NULL) == TFC_BUSY);
    CHECK(tfc_begin_ids(all->language_model, &id, 1, NULL) == TFC_BUSY);
    CHECK(tfc_next(all->language_model, &piece) == TFC_BUSY);
    CHECK(tfc_next_id(all->language_model, &id, NULL) == TFC_BUSY);
  }
  return NULL;
}

static void in_thread(void* (*work)(void*), void* argument) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, work, argument) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
}

static int32_t follow(const tfc_progress* progress) {
  following* const follower = progress->user_data;
  CHECK(progress->struct_size == sizeof(*progress));
  CHECK(progress->num_tokens >= follower->last_tokens);
  CHECK(progress->parts_done <= progress->num_parts);
  follower->last_tokens = progress->num_tokens;
  if (progress->text != NULL) strcat(follower->text, progress->text);
  ++follower->calls;
  if (follower->intrudes) {
    intrude(&follower->all);
    in_thread(intrude, &follower->all);
  }
  if (follower->calls != follower->cancel_at) return 0;
  if (!follower->by_other) return 1;
  in_thread(cancel_all, &follower->all);
  return 0;
}

static void check_progress(void) {
  const handles all = open_all();
  following follower;
  tfc_search search = TFC_DEFAULT_SEARCH;
  tfc_generation generation = TFC_DEFAULT_GENERATION;
  char usual[1000], text[1000];
  const char* piece = NULL;
  size_t cancel_at, count = 0, other_count = 0;
  int by_other, beam_size;
  search.on_progress = generation.on_progress = follow;
  search.user_data = generation.user_data = &follower;
  for (beam_size = 1; beam_size <= 3; beam_size += 2) {
    size_t calls;
    search.beam_size = generation.beam_size = beam_size;
    memset(&follower, 0, sizeof(follower));
    follower.all.translator = all.translator;
    CHECK(translate(all.translator, &search, usual) == TFC_OK);
    CHECK(strcmp(follower.text, usual) == 0);
    CHECK(follower.calls > 3 && follower.last_tokens > 0);
    calls = follower.calls;
    for (by_other = 0; by_other <= 1; ++by_other) {
      for (cancel_at = 1; cancel_at < calls; cancel_at += 3) {
        memset(&follower, 0, sizeof(follower));
        follower.all.translator = all.translator;
        follower.cancel_at = cancel_at;
        follower.by_other = by_other;
        CHECK(translate(all.translator, &search, text) == TFC_CANCELLED);
        CHECK(follower.calls == cancel_at);
      }
    }
    memset(&follower, 0, sizeof(follower));
    CHECK(translate(all.translator, &search, text) == TFC_OK && strcmp(text, usual) == 0);

    memset(&follower, 0, sizeof(follower));
    CHECK(generate(all.language_model, &generation, &count) == TFC_OK && follower.calls > 1);
    for (by_other = 0; by_other <= 1; ++by_other) {
      memset(&follower, 0, sizeof(follower));
      follower.all.language_model = all.language_model;
      follower.cancel_at = 1;
      follower.by_other = by_other;
      CHECK(generate(all.language_model, &generation, &other_count) == TFC_CANCELLED);
      CHECK(follower.calls == 1);
    }
    memset(&follower, 0, sizeof(follower));
    CHECK(generate(all.language_model, &generation, &other_count) == TFC_OK);
    CHECK(count == other_count);
  }

  /* A text that had begun is at its end. */
  generation.beam_size = 1;
  memset(&follower, 0, sizeof(follower));
  CHECK(tfc_begin(all.language_model, "two dogs", 8, &generation) == TFC_OK);
  follower.last_tokens = 0;
  CHECK(tfc_next(all.language_model, &piece) == TFC_OK);
  follower.last_tokens = 0;
  follower.cancel_at = follower.calls + 1;
  CHECK(tfc_next(all.language_model, &piece) == TFC_CANCELLED);
  CHECK(tfc_next(all.language_model, &piece) == TFC_OK && piece == NULL);

  /* What is cancelled while nothing is computed goes on. */
  follower.all = all;
  cancel_all(&follower.all);
  cancel_all(&(handles){NULL, NULL, NULL, NULL});
  search.on_progress = NULL;
  search.beam_size = 3;
  CHECK(translate(all.translator, &search, text) == TFC_OK && strcmp(text, usual) == 0);
  free_all(all);
}

/* One of several threads that compute with the same encoder and model. */
typedef struct {
  handles all;
  float first[2];
  int* is_over;
  tfc_status wanted; /* What ends all of them, once an encoder and a model gave it. */
  int* seen;
} crowd;

static int is_set(const int* flag) { return __atomic_load_n(flag, __ATOMIC_ACQUIRE); }

static void set(int* flag) { __atomic_store_n(flag, 1, __ATOMIC_RELEASE); }

static void* crowded(void* argument) {
  crowd* const own = argument;
  int tries;
  for (tries = 0; tries < NUM_TRIES; ++tries) {
    float first[2];
    const tfc_status statuses[2] = {encode(own->all.encoder, &first[0]),
                                    run_model(own->all.model, NULL, &first[1])};
    int i;
    if (is_set(&own->seen[0]) && is_set(&own->seen[1])) break;
    for (i = 0; i < 2; ++i) {
      if (statuses[i] == own->wanted) {
        set(&own->seen[i]);
      } else if (statuses[i] == TFC_OK) {
        CHECK(first[i] == own->first[i]);
      } else {
        CHECK(statuses[i] == TFC_BUSY);
      }
    }
  }
  return NULL;
}

static void* cancel_often(void* argument) {
  crowd* const own = argument;
  while (!is_set(own->is_over)) cancel_all(&own->all);
  return NULL;
}

static void check_busy(void) {
  handles all = open_all();
  following follower;
  tfc_search search = TFC_DEFAULT_SEARCH;
  tfc_generation generation = TFC_DEFAULT_GENERATION;
  char usual[1000], text[1000];
  size_t count = 0, other_count = 0;
  crowd threads[2], cancelled;
  pthread_t thread[2];
  int is_over = 0, refused[2] = {0, 0}, ended[2] = {0, 0};
  tfc_translator* twice[2];
  tfc_result* result = NULL;
  int i;

  CHECK(translate(all.translator, NULL, usual) == TFC_OK);
  CHECK(generate(all.language_model, NULL, &count) == TFC_OK);
  search.on_progress = generation.on_progress = follow;
  search.user_data = generation.user_data = &follower;
  memset(&follower, 0, sizeof(follower));
  follower.intrudes = 1;
  follower.all.translator = all.translator;
  CHECK(translate(all.translator, &search, text) == TFC_OK && strcmp(text, usual) == 0);
  follower.all.translator = NULL;
  follower.all.language_model = all.language_model;
  follower.last_tokens = 0;
  CHECK(generate(all.language_model, &generation, &other_count) == TFC_OK);
  CHECK(count == other_count);

  /* One translator twice in a chain is no intruder. */
  twice[0] = twice[1] = all.translator;
  CHECK(tfc_translate_chain(twice, 2, "two dogs", 8, NULL, &result) == TFC_OK);
  tfc_free_result(result);

  memset(threads, 0, sizeof(threads));
  CHECK(encode(all.encoder, &threads[0].first[0]) == TFC_OK);
  CHECK(run_model(all.model, NULL, &threads[0].first[1]) == TFC_OK);
  threads[0].all = all;
  threads[0].wanted = TFC_BUSY;
  threads[0].seen = refused;
  threads[1] = cancelled = threads[0];
  for (i = 0; i < 2; ++i) pthread_create(&thread[i], NULL, crowded, &threads[i]);
  for (i = 0; i < 2; ++i) pthread_join(thread[i], NULL);
  CHECK(refused[0] && refused[1]);

  cancelled.wanted = TFC_CANCELLED;
  cancelled.seen = ended;
  cancelled.is_over = &is_over;
  pthread_create(&thread[0], NULL, cancel_often, &cancelled);
  crowded(&cancelled);
  set(&is_over);
  pthread_join(thread[0], NULL);
  CHECK(ended[0] && ended[1]);
  free_all(all);
}

/* Messages. */

static size_t num_messages[TFC_LOG_SILENT];
static int litert_speaks = 0;

static void take_message(void* user_data, int32_t severity, const char* message) {
  CHECK(user_data == &litert_speaks);
  CHECK(severity >= TFC_LOG_VERBOSE && severity < TFC_LOG_SILENT);
  CHECK(strchr(message, '\n') == NULL && *message != '\0');
  ++num_messages[severity];
  if (strncmp(message, "LiteRT: ", 8) == 0) litert_speaks = 1;
}

static void check_log(void) {
  tfc_translator* translator = NULL;
  CHECK(tfc_set_log(take_message, NULL, 9) == TFC_INVALID_ARGUMENT);
  CHECK(tfc_set_log(take_message, &litert_speaks, TFC_LOG_INFO) == TFC_OK);
  CHECK(tfc_open(folders[0], NULL, &translator) == TFC_OK);
  CHECK(num_messages[TFC_LOG_INFO] >= 3 && num_messages[TFC_LOG_VERBOSE] == 0);
  CHECK(litert_speaks);
  tfc_free_translator(translator);
  memset(num_messages, 0, sizeof(num_messages));
  CHECK(tfc_set_log(take_message, &litert_speaks, TFC_LOG_SILENT) == TFC_OK);
  CHECK(tfc_open(folders[0], NULL, &translator) == TFC_OK);
  CHECK(translate(translator, NULL, NULL) == TFC_OK);
  tfc_free_translator(translator);
  CHECK(tfc_set_log(NULL, NULL, TFC_LOG_INFO) == TFC_OK);
  CHECK(num_messages[TFC_LOG_INFO] == 0 && num_messages[TFC_LOG_ERROR] == 0);
}

/* The tokens of the pieces of a stream are those of the whole, with their scores. */
static void check_scores(void) {
  const handles all = open_all();
  const int32_t *ids, *piece_ids;
  const double *scores, *piece_scores;
  const char* piece = NULL;
  size_t count = 0, num_pieces = 0, place = 0, i;
  tfc_result* result = NULL;
  CHECK(tfc_generate(all.language_model, "two dogs", 8, NULL, &result) == TFC_OK);
  CHECK(tfc_token_scores(result, 0, &ids, &scores, &count) == TFC_OK);
  CHECK(tfc_piece_scores(all.language_model, &piece_ids, &piece_scores, &i) ==
        TFC_INVALID_ARGUMENT);
  CHECK(tfc_begin(all.language_model, "two dogs", 8, NULL) == TFC_OK);
  do {
    size_t num_scores = 0;
    CHECK(tfc_next(all.language_model, &piece) == TFC_OK);
    CHECK(tfc_piece_scores(all.language_model, &piece_ids, &piece_scores, &num_scores) == TFC_OK);
    for (i = 0; i < num_scores; ++i, ++place) {
      CHECK(place < count && piece_ids[i] == ids[place] && piece_scores[i] == scores[place]);
    }
    ++num_pieces;
  } while (piece != NULL && failures == 0);
  CHECK(place == count && num_pieces > 1);
  tfc_free_result(result);
  free_all(all);
}

int main(int count, char** words) {
  static const struct {
    const char* name;
    void (*check)(void);
  } checks[] = {{"structs", check_structs},   {"files", check_files}, {"replaced", check_replaced},
                {"progress", check_progress}, {"busy", check_busy},   {"log", check_log},
                {"scores", check_scores}};
  size_t i;
  if (count != 6) return 2;
  for (i = 0; i < 4; ++i) folders[i] = words[2 + i];
  for (i = 0; i < sizeof(checks) / sizeof(*checks); ++i) {
    if (strcmp(words[1], checks[i].name) != 0) continue;
    checks[i].check();
    return failures > 0;
  }
  return 2;
}
