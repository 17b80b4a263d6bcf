#ifndef TFCOMPRESS_TOOLS_JSON_WRITER_H_
#define TFCOMPRESS_TOOLS_JSON_WRITER_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace tfcompress {

// Writes a JSON object of numbers, texts, lists and objects, with two spaces a level.
class JsonWriter {
 public:
  template <typename T>
  void Field(const char* name, const T& value) {
    Name(name);
    text_ += Written(value);
  }

  void BeginObject(const char* name) {
    Name(name);
    Begin('{', '}');
  }

  // An object of a list.
  void BeginObject() {
    NextValue();
    Begin('{', '}');
  }

  void BeginList(const char* name) {
    Name(name);
    Begin('[', ']');
  }

  // Ends what was begun last.
  void End() {
    const char closing = closing_.back();
    closing_.pop_back();
    NewLine();
    text_ += closing;
    is_first_ = false;
  }

  std::string Finish() {
    End();
    return text_;
  }

 private:
  static std::string Written(const std::string& value);
  static std::string Written(double value);

  template <typename T, typename = std::enable_if_t<std::is_integral_v<T>>>
  static std::string Written(T value) {
    return std::to_string(value);
  }

  template <typename T>
  static std::string Written(const std::vector<T>& values) {
    std::string list;
    for (const T& value : values) list += (list.empty() ? "" : ", ") + Written(value);
    return "[" + list + "]";
  }

  void Begin(char opening, char closing) {
    text_ += opening;
    closing_ += closing;
    is_first_ = true;
  }

  void NextValue() {
    if (!is_first_) text_ += ",";
    is_first_ = false;
    NewLine();
  }

  void Name(const char* name) {
    NextValue();
    text_ += "\"" + std::string(name) + "\": ";
  }

  void NewLine() { text_ += "\n" + std::string(2 * closing_.size(), ' '); }

  std::string text_ = "{";
  std::string closing_ = "}";  // The brackets of what has not ended.
  bool is_first_ = true;
};

}  // namespace tfcompress

#endif  // TFCOMPRESS_TOOLS_JSON_WRITER_H_
