#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/file.h"
#include "hrt/base/json.h"
#include "hrt/tensor/safetensors.h"
#include "model/golden_folders.h"
#include "temporary_folder.h"

namespace hrt::test {

// A copy of a golden checkpoint, in a folder of the same name, that the test may spoil; removed at the end.
class CheckpointCopy {
 public:
  explicit CheckpointCopy(const std::string& golden) : folder_(temporary_.path() / golden) {
    std::filesystem::copy(golden_folder(golden), folder_);
  }

  std::filesystem::path operator/(const char* name) const { return folder_ / name; }
  const std::filesystem::path& folder() const { return folder_; }

  void write(const char* name, std::string_view text) const { write_file(folder_ / name, text); }
  void edit_json(const char* name, std::string_view changes) const {
    Json value = read_json(folder_ / name);
    value.update(Json::parse(changes));
    write(name, value.dump());
  }
  void edit_config(std::string_view changes) const { edit_json("config.json", changes); }
  // Writes model.safetensors again: `change` may alter a tensor and its name, or undefine it to leave it out.
  void edit_weights(const std::function<void(NamedTensor&)>& change) const {
    std::vector<NamedTensor> tensors;
    {
      const SafetensorsFile file(folder_ / "model.safetensors");
      for (const TensorInfo& info : file.tensors()) {
        NamedTensor tensor{info.name, file.tensor(info.name).clone()};
        change(tensor);
        if (tensor.tensor.defined()) tensors.push_back(tensor);
      }
    }
    write_safetensors(folder_ / "model.safetensors", tensors);
  }

 private:
  const TemporaryFolder temporary_;
  std::filesystem::path folder_;
};

}  // namespace hrt::test
