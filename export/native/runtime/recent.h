#ifndef TFCOMPRESS_RUNTIME_RECENT_H_
#define TFCOMPRESS_RUNTIME_RECENT_H_

#include <algorithm>
#include <cstddef>
#include <list>

namespace tfcompress {

// The kept value that fits, or a new one; it comes to the front, and the oldest may go.
template <typename T, typename Fits, typename Make>
T& Recent(std::list<T>* kept, size_t most, Fits fits, Make make) {
  const auto it = std::find_if(kept->begin(), kept->end(), fits);
  if (it != kept->end()) {
    kept->splice(kept->begin(), *kept, it);
  } else {
    kept->push_front(make());
    if (kept->size() > most) kept->pop_back();
  }
  return kept->front();
}

}  // namespace tfcompress

#endif  // TFCOMPRESS_RUNTIME_RECENT_H_
