#ifndef TFCOMPRESS_COMMON_JSON_H_
#define TFCOMPRESS_COMMON_JSON_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tfcompress::json {

class Value;
using Array = std::vector<Value>;
using Object = std::map<std::string, Value>;

// A JSON value. Whole numbers that fit are integers, all others doubles.
class Value {
 public:
  using Data = std::variant<std::nullptr_t, bool, int64_t, double, std::string, Array, Object>;

  Value() = default;
  explicit Value(Data data) : data_(std::move(data)) {}

  // The value as a type, or null if it is of another.
  template <typename T>
  const T* As() const {
    return std::get_if<T>(&data_);
  }
  bool IsNull() const { return std::holds_alternative<std::nullptr_t>(data_); }

 private:
  Data data_ = nullptr;
};

// Parses a JSON text. Throws Error (kBadBundle) with its name and the place of the first mistake.
Value Parse(std::string_view text, const std::string& name);

}  // namespace tfcompress::json

#endif  // TFCOMPRESS_COMMON_JSON_H_
