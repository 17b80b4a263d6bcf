// What Translator.kt calls. Texts cross as UTF-8 bytes, as Java's strings are not UTF-8.

#include <jni.h>

#include <cstring>
#include <string>

#include "tfcompress.h"

namespace {

tfc_translator* FromHandle(jlong handle) { return reinterpret_cast<tfc_translator*>(handle); }

std::string ToText(JNIEnv* env, jbyteArray bytes) {
  std::string text(static_cast<size_t>(env->GetArrayLength(bytes)), '\0');
  env->GetByteArrayRegion(bytes, 0, static_cast<jsize>(text.size()),
                          reinterpret_cast<jbyte*>(text.data()));
  return text;
}

// Null, with an exception pending, where there is no memory.
jbyteArray ToBytes(JNIEnv* env, const char* text) {
  const auto size = static_cast<jsize>(std::strlen(text));
  jbyteArray bytes = env->NewByteArray(size);
  if (bytes != nullptr) {
    env->SetByteArrayRegion(bytes, 0, size, reinterpret_cast<const jbyte*>(text));
  }
  return bytes;
}

// Lets a TranslatorException be thrown on return to Kotlin, unless all is well.
bool Succeeded(JNIEnv* env, tfc_status status) {
  if (status == TFC_OK) return true;
  jclass type = env->FindClass("org/tfcompress/TranslatorException");
  jmethodID create = env->GetMethodID(type, "<init>", "(I[B)V");
  jobject error =
      env->NewObject(type, create, static_cast<jint>(status), ToBytes(env, tfc_last_error()));
  if (error != nullptr) env->Throw(static_cast<jthrowable>(error));
  return false;
}

}  // namespace

extern "C" {

JNIEXPORT jlong JNICALL Java_org_tfcompress_Native_open(JNIEnv* env, jobject, jbyteArray folder,
                                                        jint threads) {
  tfc_options options = TFC_DEFAULT_OPTIONS;
  options.num_threads = threads;
  tfc_translator* translator = nullptr;
  Succeeded(env, tfc_open(ToText(env, folder).c_str(), &options, &translator));
  return reinterpret_cast<jlong>(translator);
}

JNIEXPORT jbyteArray JNICALL Java_org_tfcompress_Native_translate(JNIEnv* env, jobject,
                                                                  jlong handle, jbyteArray text,
                                                                  jint beam_size) {
  const std::string source = ToText(env, text);
  tfc_search search = TFC_DEFAULT_SEARCH;
  search.beam_size = beam_size;
  tfc_result* result = nullptr;
  if (!Succeeded(
          env, tfc_translate(FromHandle(handle), source.data(), source.size(), &search, &result))) {
    return nullptr;
  }
  jbyteArray translation = ToBytes(env, result->hypotheses[0]->text);
  tfc_free_result(result);
  return translation;
}

JNIEXPORT void JNICALL Java_org_tfcompress_Native_close(JNIEnv*, jobject, jlong handle) {
  tfc_free_translator(FromHandle(handle));
}

}  // extern "C"
