/* Runs tfcompress bundles on a device: text in; translations, classes or vectors out.

   Functions return TFC_OK or the code of an error, whose message `tfc_last_error` gives, but for
   those that free or cancel. No C++ exception leaves the library. Text is UTF-8.

   Handles are independent of each other. Of one, one thread at a time may compute: a second one
   gets TFC_BUSY, and what the first one does goes on. Descriptions, ids of texts (`tfc_describe`,
   `tfc_tokenize` and the like) and cancelling are for any thread at any time; freeing is not while
   the handle is in use.

   Structures begin with their size, so that later versions can add fields at their ends:
   - What is passed has `struct_size` = sizeof of it, as its TFC_DEFAULT macro says. Fields that an
     earlier header did not have take their defaults. Of a later header's, those that this version
     does not know must be zero, or else the call is TFC_UNSUPPORTED.
   - A description is filled as far as the caller's `struct_size` goes; beyond what this version
     knows, with zeros.
   - What the library makes says in `struct_size` how far this version knows it.
   - Elements of an array that is passed all have the first one's `struct_size`; those of one that
     is received are behind pointers.
   `tfc_ids` alone is complete as it is.

   docs/c-interface.md has examples. */
#ifndef TFCOMPRESS_H_
#define TFCOMPRESS_H_

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define TFC_API __declspec(dllexport)
#else
#define TFC_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define TFC_VERSION "0.1.0"

typedef enum {
  TFC_OK = 0,
  TFC_INVALID_ARGUMENT = 1, /* An argument is impossible; nothing was done. */
  TFC_NOT_FOUND = 2,        /* A file or library is missing. */
  TFC_BAD_BUNDLE = 3,       /* The bundle is truncated, altered or inconsistent. */
  TFC_UNSUPPORTED = 4, /* The bundle or an argument needs what this version or device has not. */
  TFC_RUNTIME = 5,     /* LiteRT failed. */
  TFC_OUT_OF_MEMORY = 6,
  TFC_CANCELLED = 7, /* The application ended it. */
  TFC_BUSY = 8       /* Another call computes with the handle. */
} tfc_status;

typedef struct tfc_translator tfc_translator;

/* How to open a bundle. Begin with `tfc_options options = TFC_DEFAULT_OPTIONS;`. */
typedef struct {
  size_t struct_size;  /* sizeof(tfc_options) */
  int32_t num_threads; /* Threads that LiteRT may use for one sentence. */
  int32_t verify;      /* Whether files are compared with the manifest's sizes and SHA-256. */
  const char* library; /* Path of LiteRT's library, of which a process has one: another than the one
                          that is loaded is TFC_INVALID_ARGUMENT. NULL or "": the one loaded, else
                          that of TFCOMPRESS_LITERT, else libLiteRt.so. */
} tfc_options;

#define TFC_DEFAULT_OPTIONS {sizeof(tfc_options), 1, 1, NULL}

/* A file of a bundle: in memory, or a section of an open file, as Android has assets. Begin with
   `tfc_file file = TFC_DEFAULT_FILE;`. */
typedef struct {
  size_t struct_size; /* sizeof(tfc_file) */
  const char* name;
  const void* data; /* NULL: it is in the open file. */
  size_t size;
  int32_t descriptor; /* That of the open file, whose position stays as it is; -1: none. */
  int32_t reserved;   /* 0 */
  uint64_t offset;    /* Where it begins there. */
} tfc_file;

#define TFC_DEFAULT_FILE {sizeof(tfc_file), NULL, NULL, 0, -1, 0, 0}

/* How far a text is. */
typedef struct {
  size_t struct_size;
  void* user_data;   /* That of the call's options. */
  size_t num_tokens; /* That the decoder was given so far, those of the prompt among them. */
  size_t num_parts;  /* That the text, or all of a batch, is translated in; 0 for ids and language
                        models. */
  size_t parts_done;
  /* What the translation goes on with, after a part of it was finished: the line breaks or space
     before the part, and its best translation. NULL at other times, in batches, and with `markup`,
     whose tags are placed at the end. Only until the callback returns. */
  const char* text;
} tfc_progress;

/* Is called after each token and each part, by the thread that computes, and must not throw. 0: to
   go on; else the call ends with TFC_CANCELLED. With this handle it gets TFC_BUSY. */
typedef int32_t (*tfc_progress_callback)(const tfc_progress* progress);

/* Some ids. */
typedef struct {
  const int32_t* ids;
  size_t num_ids;
} tfc_ids;

/* How to search. Begin with `tfc_search search = TFC_DEFAULT_SEARCH;`. */
typedef struct {
  size_t struct_size;    /* sizeof(tfc_search) */
  int32_t beam_size;     /* Hypotheses that the search keeps, at most 1,000; 1 is greedy search. */
  int32_t n_best;        /* Hypotheses to return, at most beam_size. */
  int32_t max_length;    /* Most tokens, the end mark included; 0: the bundle's limit. */
  int32_t split;         /* Whether lines beyond the bundle's limit are split; else an error. */
  int32_t with_scores;   /* Whether greedy search computes scores too. */
  double length_penalty; /* Power of the length that log-probabilities are divided by. */
  /* What every translation begins with, or the first part of a text that is translated in parts: a
     text that ends with 0, or NULL; or its ids. Its tokens' log-probabilities count. */
  const char* target_prefix;
  tfc_ids target_prefix_ids;
  /* Words that no translation has, texts that end with 0. They are looked for in the text, between
     its ends, spaces, punctuation and characters of scripts without spaces; the token that would
     complete one is not taken. */
  const char* const* banned_words;
  size_t num_banned_words;
  /* Sequences of ids that no translation has. */
  const tfc_ids* banned_ids;
  size_t num_banned_ids;
  int32_t split_sentences; /* Whether each sentence of a text is translated by itself. */
  int32_t markup;          /* Whether texts are HTML, or XML whose elements are within sentences. */
  /* Both are for texts only: `tfc_translate_ids` refuses them. */
  tfc_progress_callback on_progress; /* NULL: none. */
  void* user_data;
} tfc_search;

#define TFC_DEFAULT_SEARCH \
  {sizeof(tfc_search), 1, 1, 0, 1, 0, 1.0, NULL, {NULL, 0}, NULL, 0, NULL, 0, 0, 0, NULL, NULL}

/* A translation. Greedy search without `with_scores` has zeros for both. */
typedef struct {
  size_t struct_size;
  const char* text; /* NULL where the bundle has no tokenizer. */
  const int32_t* ids;
  size_t num_ids; /* The end mark is not among them. */
  double log_probability;
  double score;
} tfc_hypothesis;

/* The translations of one text, best first. Those of a text in several parts join the parts' first
   best, second best and so on, as many as the part with the fewest has. */
typedef struct {
  size_t struct_size;
  size_t num_hypotheses;
  const tfc_hypothesis* const* hypotheses;
  size_t num_parts; /* Parts that the text was translated in: lines, with `split_sentences`
                       sentences, with `markup` what of these is between blocks; and what such were
                       split into beyond the bundle's limit; 1: it was translated whole. */
} tfc_result;

/* What a bundle is. */
typedef struct {
  size_t struct_size; /* sizeof(tfc_info), set by the caller. */
  int32_t source_vocabulary;
  int32_t target_vocabulary;
  int32_t max_source_length; /* In tokens, the end mark included. */
  int32_t max_target_length;
  uint64_t bundle_bytes; /* Of all files together. */
} tfc_info;

/* Opens the bundle in a folder. `options` may be NULL. All that an open bundle needs is in memory:
   its files may be replaced, cut short or removed. */
TFC_API tfc_status tfc_open(const char* folder, const tfc_options* options,
                            tfc_translator** translator);

/* Opens a bundle of files that are in memory or open already. Their bytes are copied, and
   descriptors are the caller's to close. */
TFC_API tfc_status tfc_open_files(const tfc_file* files, size_t num_files,
                                  const tfc_options* options, tfc_translator** translator);

TFC_API void tfc_free_translator(tfc_translator* translator);

/* Lets the call that computes with this handle, if there is one, end with TFC_CANCELLED. Of a
   chain, any of its translators will do. The handle can be used on. */
TFC_API void tfc_cancel(tfc_translator* translator);

TFC_API tfc_status tfc_describe(const tfc_translator* translator, tfc_info* info);

/* Translates a text of `size` bytes. `search` may be NULL. A blank text (white space, control and
   format characters only) gives one empty hypothesis. Each line is translated by itself, and the
   line breaks are kept. A line beyond the bundle's limit is split at the end of each sentence, and
   a sentence beyond it between words. With `split_sentences`, each sentence is, and the space
   between sentences is kept too. A target code such as `>>de<<` is put before every part after it
   that has none. With `markup`, which needs a bundle with alignments, tags go
   around the translations of the words that they are around; see docs/translating.md. */
TFC_API tfc_status tfc_translate(tfc_translator* translator, const char* text, size_t size,
                                 const tfc_search* search, tfc_result** result);

/* Translates a text with several translators, at least one, each of which translates what the one
   before gave. Ids, tokens and their scores are the last one's; log-probabilities are summed;
   alignments are with the text. Prefix, banned words and `max_length` are for the last one. */
TFC_API tfc_status tfc_translate_chain(tfc_translator* const* translators, size_t num_translators,
                                       const char* text, size_t size, const tfc_search* search,
                                       tfc_result** result);

/* Translates source ids. The end mark is added; where it stands at the end already, and padding
   after it, they are left out. Elsewhere, the ids of padding, begin and end are an error. */
TFC_API tfc_status tfc_translate_ids(tfc_translator* translator, const int32_t* ids, size_t num_ids,
                                     const tfc_search* search, tfc_result** result);

/* A text of `size` bytes. */
typedef struct {
  const char* text;
  size_t size;
} tfc_text;

/* Translates several texts, at most `batch_size` of their parts side by side, from 1 to 1,024,
   which takes less time than one after another. Each gets what it has alone, bit for bit. `results`
   has room for as many results as texts, each of which is to be freed; all are NULL after an error.
 */
TFC_API tfc_status tfc_translate_batch(tfc_translator* translator, const tfc_text* texts,
                                       size_t num_texts, int32_t batch_size,
                                       const tfc_search* search, tfc_result** results);

/* The same for source ids, as in `tfc_translate_ids`. */
TFC_API tfc_status tfc_translate_ids_batch(tfc_translator* translator, const tfc_ids* sentences,
                                           size_t num_sentences, int32_t batch_size,
                                           const tfc_search* search, tfc_result** results);

/* Gives the logits of every token after each prefix of a target: `num_target + 1` rows of as many
   as the target vocabulary has, the first row after the begin mark alone. */
TFC_API tfc_status tfc_logits(tfc_translator* translator, const int32_t* ids, size_t num_ids,
                              const int32_t* target, size_t num_target, float* logits);

/* Gives the source ids of a text as the only hypothesis. */
TFC_API tfc_status tfc_tokenize(const tfc_translator* translator, const char* text, size_t size,
                                tfc_result** result);

/* Gives the ids of a result's hypothesis, by its number from 0, with its end mark, or the end mark
   of each part that a text was translated in; and the log-probability of each. None for greedy
   search without `with_scores`. They are valid until the result is freed. */
TFC_API tfc_status tfc_token_scores(const tfc_result* result, size_t number, const int32_t** ids,
                                    const double** scores, size_t* num_scores);

/* Gives the geometric mean of the tokens' probabilities, end marks included: the power of e of the
   mean of the token scores. Without any it is 1, as of a blank text; or 0 where a translator
   before gave no text to translate on. */
TFC_API tfc_status tfc_quality(const tfc_result* result, size_t number, double* quality);

/* Gives the attention of each token and end mark, as in `tfc_token_scores`, to each token of the
   source and its end mark: `*num_tokens` rows of `*num_source_tokens`; with parts, of each to its
   own source. NULL where the bundle was exported without alignments, for a blank text, and for
   greedy search without `with_scores`. With parts, all these numbers are only written when they are
   asked for. They are valid until the result is freed. */
TFC_API tfc_status tfc_alignment(const tfc_result* result, size_t number, const float** weights,
                                 size_t* num_tokens, size_t* num_source_tokens);

TFC_API void tfc_free_result(tfc_result* result);

/* A text encoder. */
typedef struct tfc_encoder tfc_encoder;

/* What the bundle of a text encoder is. */
typedef struct {
  size_t struct_size; /* sizeof(tfc_encoder_info), set by the caller. */
  const char* head;   /* The head's task, as below, or "" for none. */
  int32_t vocabulary;
  int32_t token_types; /* 0 for none. */
  int32_t max_length;  /* In tokens, begin and end marks included. */
  size_t num_labels;   /* Names of classes or scores; 0 where there are none. */
  uint64_t bundle_bytes;
} tfc_encoder_info;

/* A result: one row of numbers for the text, or one for each id. Without a head, there are "hidden"
   and, with a pooler, "pooled". With one, it is
   "classification":             "logits", whose softmax are the probabilities of the classes;
   "multi_label_classification": "logits", the sigmoid of each being the probability of its class;
   "regression":                 "logits", which are scores as they are;
   "token_classification":       "logits" for each id, as of a classification;
   "embedding":                  "embedding". */
typedef struct {
  size_t struct_size;
  const char* name;
  size_t rows;
  size_t width;
  const float* values; /* rows * width */
} tfc_output;

/* The results of a text, and its ids, begin and end included. */
typedef struct {
  size_t struct_size;
  size_t num_ids;
  const int32_t* ids;
  size_t num_outputs;
  const tfc_output* const* outputs;
} tfc_encoding;

/* Opens the bundle of a text encoder in a folder. `options` may be NULL. */
TFC_API tfc_status tfc_open_encoder(const char* folder, const tfc_options* options,
                                    tfc_encoder** encoder);

/* Opens one of files, as `tfc_open_files` does. */
TFC_API tfc_status tfc_open_encoder_files(const tfc_file* files, size_t num_files,
                                          const tfc_options* options, tfc_encoder** encoder);

TFC_API void tfc_free_encoder(tfc_encoder* encoder);

/* Cancels, as `tfc_cancel` does. */
TFC_API void tfc_cancel_encoder(tfc_encoder* encoder);

/* `info` holds until the encoder is freed. */
TFC_API tfc_status tfc_describe_encoder(const tfc_encoder* encoder, tfc_encoder_info* info);

/* The name of a class, or NULL if there is none of that number. */
TFC_API const char* tfc_encoder_label(const tfc_encoder* encoder, size_t number);

/* Encodes a text of `size` bytes. A text beyond the bundle's limit is cut, or else an error. A
   blank text is begin and end, and what the tokenizer makes of white space. */
TFC_API tfc_status tfc_encode(tfc_encoder* encoder, const char* text, size_t size, int32_t cut,
                              tfc_encoding** encoding);

/* Encodes ids, begin and end included. `token_types`, one for each id, may be NULL: all are 0.
   Padding at the end is cut off; before other ids it is an error. */
TFC_API tfc_status tfc_encode_ids(tfc_encoder* encoder, const int32_t* ids,
                                  const int32_t* token_types, size_t num_ids,
                                  tfc_encoding** encoding);

/* Gives the probabilities of classes, as many as the result "logits" has values: by softmax or
   sigmoid, as the head is. An error where it has no classes. */
TFC_API tfc_status tfc_probabilities(const tfc_encoder* encoder, const tfc_output* logits,
                                     float* probabilities);

/* Gives the ids of a text, however long, and no results. */
TFC_API tfc_status tfc_encoder_tokenize(const tfc_encoder* encoder, const char* text, size_t size,
                                        tfc_encoding** encoding);

TFC_API void tfc_free_encoding(tfc_encoding* encoding);

/* A language model. */
typedef struct tfc_language_model tfc_language_model;

/* What the bundle of a language model is. */
typedef struct {
  size_t struct_size; /* sizeof(tfc_language_model_info), set by the caller. */
  int32_t vocabulary;
  int32_t max_length; /* In tokens, the end mark included. */
  uint64_t bundle_bytes;
} tfc_language_model_info;

/* How to go on. Begin with `tfc_generation generation = TFC_DEFAULT_GENERATION;`. */
typedef struct {
  size_t struct_size;    /* sizeof(tfc_generation) */
  int32_t max_tokens;    /* Most tokens to add, the end mark not counted. */
  int32_t beam_size;     /* Hypotheses that beam search keeps, at most 1,000; 1: no beam search. */
  int32_t n_best;        /* Hypotheses to return, at most beam_size. */
  int32_t top_k;         /* Of how many of the most probable tokens one is drawn; 0: of all. */
  double length_penalty; /* Power of the length that log-probabilities are divided by. */
  double temperature;    /* What logits are divided by before a token is drawn; 0: the most probable
                            token is taken. */
  uint64_t seed;         /* Of the draws. */
  tfc_progress_callback on_progress; /* NULL: none. */
  void* user_data;
} tfc_generation;

#define TFC_DEFAULT_GENERATION {sizeof(tfc_generation), 64, 1, 1, 0, 1.0, 0.0, 0, NULL, NULL}

/* Opens the bundle of a language model in a folder. `options` may be NULL. */
TFC_API tfc_status tfc_open_language_model(const char* folder, const tfc_options* options,
                                           tfc_language_model** model);

/* Opens one of files, as `tfc_open_files` does. */
TFC_API tfc_status tfc_open_language_model_files(const tfc_file* files, size_t num_files,
                                                 const tfc_options* options,
                                                 tfc_language_model** model);

TFC_API void tfc_free_language_model(tfc_language_model* model);

/* Cancels, as `tfc_cancel` does. A text that had begun is at its end. */
TFC_API void tfc_cancel_language_model(tfc_language_model* model);

TFC_API tfc_status tfc_describe_language_model(const tfc_language_model* model,
                                               tfc_language_model_info* info);

/* Continues a text of `size` bytes; `generation` may be NULL. Hypotheses are what follows, without
   the text itself. A text, what follows and the end mark are together within the bundle's limit. */
TFC_API tfc_status tfc_generate(tfc_language_model* model, const char* text, size_t size,
                                const tfc_generation* generation, tfc_result** result);

/* Continues ids, without begin and end marks. */
TFC_API tfc_status tfc_generate_ids(tfc_language_model* model, const int32_t* ids, size_t num_ids,
                                    const tfc_generation* generation, tfc_result** result);

/* Begins to continue a text, or ids, token by token. Whatever else is computed with this model ends
   it. There is no beam search. The progress of each call is told to the callback of `generation`.
 */
TFC_API tfc_status tfc_begin(tfc_language_model* model, const char* text, size_t size,
                             const tfc_generation* generation);
TFC_API tfc_status tfc_begin_ids(tfc_language_model* model, const int32_t* ids, size_t num_ids,
                                 const tfc_generation* generation);

/* Gives the piece of text that the next tokens make, of which there are several where one alone is
   no whole character; NULL after the last. It is valid until the next call with this model. Only
   after `tfc_begin`. */
TFC_API tfc_status tfc_next(tfc_language_model* model, const char** piece);

/* Gives the ids of the piece that `tfc_next` gave last and the log-probability of each; after the
   last piece, the end mark's where the model ended the text. They are valid until the next call
   with this model. */
TFC_API tfc_status tfc_piece_scores(tfc_language_model* model, const int32_t** ids,
                                    const double** scores, size_t* num_scores);

/* Gives the next token after `tfc_begin_ids`: -1 after the last, which is the end mark where the
   model ends the text. `log_probability` may be NULL. */
TFC_API tfc_status tfc_next_id(tfc_language_model* model, int32_t* id, double* log_probability);

/* Gives the log-probability of each of a text's ids, as `tfc_language_model_tokenize` gives them,
   and of its end mark, in their order: `*num_scores` of them, which are valid until the next call
   with this model. A text beyond the bundle's limit is scored in rows that each begin anew. */
TFC_API tfc_status tfc_score(tfc_language_model* model, const char* text, size_t size,
                             const float** scores, size_t* num_scores);

/* The same for ids, `num_ids` of them; the end mark counts where it is among them. */
TFC_API tfc_status tfc_score_ids(tfc_language_model* model, const int32_t* ids, size_t num_ids,
                                 float* scores);

/* Gives the logits of every token after each prefix of ids: `num_ids + 1` rows of as many as the
   vocabulary has, the first row after the begin mark alone. */
TFC_API tfc_status tfc_language_model_logits(tfc_language_model* model, const int32_t* ids,
                                             size_t num_ids, float* logits);

/* Gives the ids of a text as the only hypothesis. */
TFC_API tfc_status tfc_language_model_tokenize(const tfc_language_model* model, const char* text,
                                               size_t size, tfc_result** result);

/* The bundle of a Keras model, whose signatures its maker named. Inputs and outputs are float32 and
   int32. */
typedef struct tfc_model tfc_model;

typedef enum { TFC_ARRAY_FLOAT32 = 0, TFC_ARRAY_INT32 = 1 } tfc_array_type;

/* An input or output: a row-major array. */
typedef struct {
  size_t struct_size; /* sizeof(tfc_array) */
  const char* name;
  int32_t type; /* tfc_array_type */
  size_t rank;  /* At most 8. */
  const int32_t* dims;
  void* data; /* That of an input is only read. */
} tfc_array;

typedef struct {
  size_t struct_size;
  size_t num_arrays;
  const tfc_array* const* arrays;
} tfc_arrays;

/* Opens the `model.tflite` of a bundle in a folder. Of `options`, which may be NULL, `verify` has
   no meaning here: the model always is. */
TFC_API tfc_status tfc_open_model(const char* folder, const tfc_options* options,
                                  tfc_model** model);

/* Opens one of files, as `tfc_open_files` does. */
TFC_API tfc_status tfc_open_model_files(const tfc_file* files, size_t num_files,
                                        const tfc_options* options, tfc_model** model);

TFC_API void tfc_free_model(tfc_model* model);

/* Cancels, as `tfc_cancel` does. */
TFC_API void tfc_cancel_model(tfc_model* model);

/* Runs a signature on an array for each of its inputs, in any order, and gives all its outputs. */
TFC_API tfc_status tfc_run_model(tfc_model* model, const char* signature, size_t num_inputs,
                                 const tfc_array* inputs, tfc_arrays** outputs);

TFC_API void tfc_free_arrays(tfc_arrays* arrays);

/* How much a message matters. */
typedef enum {
  TFC_LOG_VERBOSE = 0,
  TFC_LOG_INFO = 1,
  TFC_LOG_WARNING = 2,
  TFC_LOG_ERROR = 3,
  TFC_LOG_SILENT = 4 /* More than any. */
} tfc_severity;

/* Takes a message, a line without its end, which is valid until it returns. It must neither throw
   nor open a bundle. */
typedef void (*tfc_log_callback)(void* user_data, int32_t severity, const char* message);

/* Gives the messages of this library and of LiteRT from a tfc_severity on to a callback, by the
   thread that opens a bundle, and keeps all others to itself. NULL: none; then LiteRT alone writes,
   errors to standard error, or what the environment variable TFCOMPRESS_LITERT_LOG asks for:
   verbose, info, warning, error or silent.

   LiteRT's severity is that of the first bundle of the process. It has no interface for its
   messages. So with a callback, or silent, standard error is led elsewhere while LiteRT loads a
   model, for the whole process, and what another thread writes meanwhile is taken for its. What
   LiteRT writes while a model runs, such as the errors of a run that fails or is cancelled, and
   what it writes when its library is loaded, cannot be caught. */
TFC_API tfc_status tfc_set_log(tfc_log_callback callback, void* user_data, int32_t severity);

/* The message of this thread's last error; valid until its next call. */
TFC_API const char* tfc_last_error(void);

/* The library's version. */
TFC_API const char* tfc_version(void);

#ifdef __cplusplus
}
#endif

#endif
