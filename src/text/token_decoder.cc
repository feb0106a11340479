#include "token_decoder.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "byte_alphabet.h"
#include "hrt/base/strings.h"
#include "step_json.h"
#include "unicode_text.h"

namespace hrt {
namespace {

using Tokens = std::vector<std::string>;

std::string replace_all(const std::string& text, const std::string& pattern, const std::string& content) {
  std::string result;
  std::size_t at = 0;
  for (std::size_t match = text.find(pattern); match != text.npos; match = text.find(pattern, at)) {
    result.append(text, at, match - at).append(content);
    at = match + pattern.size();
  }
  return result.append(text, at);
}

// Tokens with a character outside the byte alphabet (some added ones) stand for themselves.
class ByteLevel : public TokenDecoder {
 public:
  Tokens apply(Tokens tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) bytes += alphabet_to_bytes(token).value_or(token);
    return {lossy_utf8(std::move(bytes))};
  }
};

// A run of tokens "<0x41>" becomes its text, or one U+FFFD a byte when it is not UTF-8.
class ByteFallback : public TokenDecoder {
 public:
  Tokens apply(Tokens tokens) const override {
    Tokens result;
    std::string bytes;
    const auto flush = [&] {
      if (find_invalid_utf8(bytes) == bytes.npos) {
        if (!bytes.empty()) result.push_back(bytes);
      } else {
        result.insert(result.end(), bytes.size(), "\uFFFD");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const std::optional<char> byte = byte_of(token)) {
        bytes += *byte;
        continue;
      }
      flush();
      result.push_back(std::move(token));
    }
    flush();
    return result;
  }

 private:
  static std::optional<char> byte_of(const std::string& token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
    unsigned value = 0;
    const char* const end = token.data() + 5;
    const auto parsed = std::from_chars(token.data() + 3, end, value, 16);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    return static_cast<char>(value);
  }
};

class Fuse : public TokenDecoder {
 public:
  Tokens apply(Tokens tokens) const override { return {join(tokens, "")}; }
};

class Replace : public TokenDecoder {
 public:
  Replace(std::string pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}

  Tokens apply(Tokens tokens) const override {
    for (std::string& token : tokens) token = replace_all(token, pattern_, content_);
    return tokens;
  }

 private:
  std::string pattern_;
  std::string content_;
};

// Takes up to `start` and `stop` times `content` (one character) off the two ends of each token.
class Strip : public TokenDecoder {
 public:
  Strip(std::string content, std::int64_t start, std::int64_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}

  Tokens apply(Tokens tokens) const override {
    for (std::string& token : tokens) {
      std::size_t begin = 0;
      std::size_t end = token.size();
      for (std::int64_t i = 0; i < start_ && token.compare(begin, content_.size(), content_) == 0; ++i) {
        begin += content_.size();
      }
      for (std::int64_t i = 0;
           i < stop_ && std::string_view(token).substr(begin, end - begin).ends_with(content_); ++i) {
        end -= content_.size();
      }
      token = token.substr(begin, end - begin);
    }
    return tokens;
  }

 private:
  std::string content_;
  std::int64_t start_;
  std::int64_t stop_;
};

// Replacements become spaces; those of the first token are the prefix, and go.
class Metaspace : public TokenDecoder {
 public:
  Metaspace(std::string replacement, bool has_prefix)
      : replacement_(std::move(replacement)), has_prefix_(has_prefix) {}

  Tokens apply(Tokens tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = replace_all(tokens[i], replacement_, i == 0 && has_prefix_ ? "" : " ");
    }
    return tokens;
  }

 private:
  std::string replacement_;
  bool has_prefix_;
};

std::string read_nonempty(const StepJson& step, const std::string& key, const JsonObject& fields,
                          const std::string& inner) {
  std::string value = fields.string(inner);
  if (value.empty()) step.refuse_value(key, "a non-empty string");
  return value;
}

std::unique_ptr<TokenDecoder> read_replace(const StepJson& step) {
  const JsonObject pattern = step.fields.object("pattern");
  if (!pattern.has("String")) step.refuse_value("pattern", "{\"String\": ...}");
  return std::make_unique<Replace>(read_nonempty(step, "pattern", pattern, "String"),
                                   step.fields.string("content"));
}

std::unique_ptr<TokenDecoder> read_strip(const StepJson& step) {
  return std::make_unique<Strip>(read_nonempty(step, "content", step.fields, "content"),
                                 step.fields.integer("start"), step.fields.integer("stop"));
}

std::unique_ptr<TokenDecoder> read_metaspace(const StepJson& step) {
  const std::string fallback = step.fields.boolean("add_prefix_space", true) ? "always" : "never";
  return std::make_unique<Metaspace>(read_nonempty(step, "replacement", step.fields, "replacement"),
                                     step.fields.string("prepend_scheme", fallback) != "never");
}

std::unique_ptr<TokenDecoder> read_token_decoder(const StepJson& step) {
  if (step.type == "ByteLevel") return std::make_unique<ByteLevel>();
  if (step.type == "ByteFallback") return std::make_unique<ByteFallback>();
  if (step.type == "Fuse") return std::make_unique<Fuse>();
  if (step.type == "Replace") return read_replace(step);
  if (step.type == "Strip") return read_strip(step);
  if (step.type == "Metaspace") return read_metaspace(step);
  step.refuse_type({"ByteFallback", "ByteLevel", "Fuse", "Metaspace", "Replace", "Strip", "Sequence"});
}

}  // namespace

TokenDecoders read_token_decoders(const JsonObject& file) {
  TokenDecoders result;
  for (const StepJson& step : read_steps(file, "decoder", "decoders"))
    result.push_back(read_token_decoder(step));
  return result;
}

std::string decode_tokens(const TokenDecoders& steps, std::vector<std::string> tokens) {
  if (steps.empty()) return join(tokens, " ");
  for (const auto& step : steps) tokens = step->apply(std::move(tokens));
  return join(tokens, "");
}

}  // namespace hrt
