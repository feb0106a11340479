#pragma once

#include <cstdint>
#include <string>

namespace hrt {

// A file in the format's layout with this header, right or wrong, and `data` bytes of zeros.
inline std::string safetensors_bytes(const std::string& header, std::size_t data) {
  const std::uint64_t size = header.size();
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
  return bytes + header + std::string(data, '\0');
}

}  // namespace hrt
