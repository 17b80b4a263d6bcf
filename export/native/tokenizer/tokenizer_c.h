/* Gives C programs and Python's ctypes the tokenizer. No C++ exception leaves these functions: the
   ones that can fail take a buffer for the error's message, which they end with a zero byte. */
#ifndef TFCOMPRESS_TOKENIZER_TOKENIZER_C_H_
#define TFCOMPRESS_TOKENIZER_TOKENIZER_C_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tfc_tokenizer tfc_tokenizer;

/* Reads a SentencePiece model and copies what it needs; NULL on an error. */
tfc_tokenizer* tfc_tokenizer_open(const void* data, size_t size, char* error, size_t error_size);

/* Writes at most `capacity` ids of a UTF-8 text and returns how many there are; -1 on an error. */
int64_t tfc_tokenizer_encode(const tfc_tokenizer* tokenizer, const char* text, size_t size,
                             int32_t* ids, size_t capacity, char* error, size_t error_size);

/* Writes at most `capacity` bytes of the text of some ids, with no zero byte after them, and
   returns how many there are; -1 on an error. */
int64_t tfc_tokenizer_decode(const tfc_tokenizer* tokenizer, const int32_t* ids, size_t count,
                             char* text, size_t capacity, char* error, size_t error_size);

/* Write where each id of a text is, or each of some ids in their text: begin and end in bytes, of
   at most `capacity` ids. Return how many there are; -1 on an error. */
int64_t tfc_tokenizer_encode_spans(const tfc_tokenizer* tokenizer, const char* text, size_t size,
                                   size_t* spans, size_t capacity, char* error, size_t error_size);
int64_t tfc_tokenizer_decode_spans(const tfc_tokenizer* tokenizer, const int32_t* ids, size_t count,
                                   size_t* spans, size_t capacity, char* error, size_t error_size);

/* Returns how many ids there are. */
int32_t tfc_tokenizer_size(const tfc_tokenizer* tokenizer);

/* Frees a tokenizer; NULL is allowed. */
void tfc_tokenizer_close(tfc_tokenizer* tokenizer);

typedef struct tfc_text_tokenizer tfc_text_tokenizer;

/* Reads the tokenizer of a text encoder: its settings as JSON, and its one or two files, of which
   the second may be NULL. Copies what it needs; NULL on an error. */
tfc_text_tokenizer* tfc_text_tokenizer_open(const char* settings, size_t settings_size,
                                            const void* first, size_t first_size,
                                            const void* second, size_t second_size, char* error,
                                            size_t error_size);

/* These work as those of tfc_tokenizer do. */
int64_t tfc_text_tokenizer_encode(const tfc_text_tokenizer* tokenizer, const char* text,
                                  size_t size, int32_t* ids, size_t capacity, char* error,
                                  size_t error_size);
int64_t tfc_text_tokenizer_decode(const tfc_text_tokenizer* tokenizer, const int32_t* ids,
                                  size_t count, char* text, size_t capacity, char* error,
                                  size_t error_size);
int32_t tfc_text_tokenizer_size(const tfc_text_tokenizer* tokenizer);
void tfc_text_tokenizer_close(tfc_text_tokenizer* tokenizer);

#ifdef __cplusplus
}
#endif

#endif /* TFCOMPRESS_TOKENIZER_TOKENIZER_C_H_ */
