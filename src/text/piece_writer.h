#pragma once

#include <cstddef>
#include <string_view>

#include "hrt/text/chat_template.h"

namespace hrt {

// Collects a prompt's text and what each of its bytes is.
class PieceWriter {
 public:
  void write(std::string_view text, Part part);
  // The text of a message.
  void write_content(std::string_view text, Part part);
  // What the template itself writes.
  void write_literal(std::string_view text);

  // Takes white space off the end, down to `floor`.
  void strip_end(std::size_t floor);
  void truncate(std::size_t size);

  std::size_t size() const { return prompt_.text.size(); }
  ByteSpan instruction() const;  // once it is written
  RenderedPrompt take();

 private:
  RenderedPrompt prompt_;
  bool instruction_written_ = false;
};

}  // namespace hrt
