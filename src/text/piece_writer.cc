#include "piece_writer.h"

#include <algorithm>

#include "python_strip.h"

namespace hrt {

void PieceWriter::write(std::string_view text, Part part) {
  if (text.empty() && part != Part::kInstruction) return;
  prompt_.pieces.push_back({{size(), size() + text.size()}, part});
  prompt_.text += text;
}

void PieceWriter::write_content(std::string_view text, Part part) {
  if (part == Part::kInstruction) instruction_written_ = true;
  write(text, part);
  prompt_.contents.push_back({size() - text.size(), size()});
}

void PieceWriter::write_literal(std::string_view text) {
  write(text, instruction_written_ ? Part::kPostInstruction : Part::kTemplate);
}

void PieceWriter::strip_end(std::size_t floor) {
  truncate(floor + python_rstrip(std::string_view(prompt_.text).substr(floor)).size());
}

void PieceWriter::truncate(std::size_t size) {
  prompt_.text.resize(size);
  const auto clamp = [size](ByteSpan& span) {
    span = {std::min(span.begin, size), std::min(span.end, size)};
  };
  for (Piece& piece : prompt_.pieces) clamp(piece.span);
  for (ByteSpan& span : prompt_.contents) clamp(span);
  std::erase_if(prompt_.pieces,
                [](const Piece& piece) { return piece.span.empty() && piece.part != Part::kInstruction; });
}

ByteSpan PieceWriter::instruction() const {
  return std::ranges::find(prompt_.pieces, Part::kInstruction, &Piece::part)->span;
}

RenderedPrompt PieceWriter::take() {
  prompt_.instruction = instruction();
  return std::move(prompt_);
}

}  // namespace hrt
