package org.tfcompress

import java.io.Closeable
import java.io.File

/**
 * Translates text with a bundle that tfcompress exported.
 *
 * @param bundle the bundle's folder, for instance one below `Context.filesDir`
 * @param threads threads that LiteRT may use for one sentence
 * @throws TranslatorException if the bundle is corrupt, or LiteRT's library is missing
 */
class Translator(bundle: File, threads: Int = 1) : Closeable {
    private var handle = Native.open(bundle.path.toByteArray(), threads)

    /**
     * Returns the translation of a text. Takes its time, so that it is not for the main thread.
     *
     * @throws TranslatorException if an argument is impossible
     */
    @Synchronized
    fun translate(text: String, beamSize: Int = 1): String {
        check(handle != 0L) { "the translator is closed" }
        return String(Native.translate(handle, text.toByteArray(), beamSize))
    }

    @Synchronized
    override fun close() {
        Native.close(handle)
        handle = 0
    }
}

/** What the library reports as wrong. [status] is that of `tfc_status` in tfcompress.h. */
class TranslatorException internal constructor(val status: Int, message: ByteArray) :
    RuntimeException(String(message))

private object Native {
    init {
        System.loadLibrary("tfcompress_jni")
    }

    external fun open(folder: ByteArray, threads: Int): Long

    external fun translate(handle: Long, text: ByteArray, beamSize: Int): ByteArray

    external fun close(handle: Long)
}
