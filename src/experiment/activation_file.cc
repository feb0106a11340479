#include "hrt/experiment/activation_file.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "hrt/base/error.h"
#include "hrt/base/hash.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

at::Tensor int_tensor(const std::vector<std::int64_t>& values) {
  return at::tensor(at::ArrayRef<std::int64_t>(values), at::kLong);
}

// Which prompts have a position, and how many of its tokens lie before each of them.
struct PositionLayout {
  std::vector<std::int64_t> index;
  std::vector<std::int64_t> offsets{0};
  bool complete(const PromptSet& set) const { return index.size() == set.prompts.size(); }
};

PositionLayout layout_of(const PromptSet& set, std::size_t position) {
  PositionLayout layout;
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    const auto& range = set.prompts[i].positions[position];
    if (!range) continue;
    layout.index.push_back(static_cast<std::int64_t>(i));
    layout.offsets.push_back(layout.offsets.back() + range->size());
  }
  return layout;
}

// The small tensors that say which row belongs to which prompt.
std::vector<NamedTensor> side_tensors(const PromptSet& set) {
  std::vector<NamedTensor> tensors;
  for (std::size_t p = 0; p < set.specs.size(); ++p) {
    const PositionLayout layout = layout_of(set, p);
    if (set.specs[p].is_span())
      tensors.push_back({set.specs[p].name + ".offsets", int_tensor(layout.offsets)});
    if (!layout.complete(set)) tensors.push_back({set.specs[p].name + ".index", int_tensor(layout.index)});
  }
  return tensors;
}

// Of the prompts that rows are of, in their order.
std::string prompts_hash(const PromptSet& set) {
  Sha256 hash;
  for (const PreparedPrompt& prompt : set.prompts)
    hash.update(fmt::format("{} {}\n", to_line(Json(prompt.record.id)), fmt::join(prompt.prompt.ids, " ")));
  return hash.hex();
}

// Hands out the rows of prompts [begin, end), which lie in `rows` one after the other.
void visit_prompts(const PromptSet& set, std::size_t position, std::size_t begin, std::size_t end,
                   const at::Tensor& rows, const CapturedRows::Visit& visit) {
  std::int64_t next = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const auto& range = set.prompts[i].positions[position];
    if (!range) continue;
    visit(i, rows.narrow(0, next, range->size()));
    next += range->size();
  }
}

}  // namespace

void GroupedRows::each(std::size_t position, const Visit& visit) const {
  for (std::size_t g = 0; g < groups_.groups().size(); ++g) {
    const Group& group = groups_.groups()[g];
    visit_prompts(set_, position, static_cast<std::size_t>(group.begin), static_cast<std::size_t>(group.end),
                  groups_.rows(g, set_.specs[position]), visit);
  }
}

StoredRows::StoredRows(const std::filesystem::path& file, const PromptSet& set,
                       const std::vector<std::int64_t>& rows)
    : path_(file), file_(file), set_(set) {
  const auto says = [&](const char* key, const std::string& expected) {
    const auto said = file_.metadata().find(key);
    return said == file_.metadata().end() || said->second == expected;
  };
  if (!says("rows", to_line(Json(rows))))
    throw InputError("{}: the metadata says rows {}, the run's manifest {}", file.string(),
                     escape_for_terminal(file_.metadata().at("rows")), to_line(Json(rows)));
  for (std::size_t p = 0; p < set.specs.size(); ++p) {
    const at::Tensor tensor = file_.tensor(set.specs[p].name);
    const std::int64_t tokens = layout_of(set, p).offsets.back();
    if (tensor.dim() == 3 && tensor.size(0) == tokens && std::cmp_equal(tensor.size(1), rows.size()))
      continue;
    throw InputError("{}: {} has shape {}, expected [{}, {}, hidden] for the run's prompts", file.string(),
                     set.specs[p].name, to_line(Json(tensor.sizes().vec())), tokens, rows.size());
  }
  if (!says("prompts", prompts_hash(set)))
    throw InputError("{}: its rows are of other prompts than the run's", file.string());
}

void StoredRows::each(std::size_t position, const Visit& visit) const {
  const std::string& name = set_.specs[position].name;
  const auto visit_finite = [&](std::size_t prompt, const at::Tensor& rows) {
    if (!rows.isfinite().all().item<bool>()) {
      throw InputError("{}: {} of prompt {} holds NaN or infinity", path_.string(), name,
                       escape_for_terminal(set_.prompts[prompt].record.id));
    }
    visit(prompt, rows);
  };
  visit_prompts(set_, position, 0, set_.prompts.size(), file_.tensor(name), visit_finite);
  file_.release(*file_.find(name));
}

void write_activations(const std::filesystem::path& file, const PromptSet& set, const ActivationShape& shape,
                       const std::vector<ActivationPart>& parts) {
  const auto rows = static_cast<std::int64_t>(shape.rows.size());
  std::vector<SafetensorsWriter::Declaration> declarations;
  for (std::size_t p = 0; p < set.specs.size(); ++p) {
    declarations.push_back(
        {set.specs[p].name, shape.dtype, {layout_of(set, p).offsets.back(), rows, shape.hidden}});
  }
  const auto prompts = static_cast<std::int64_t>(set.prompts.size());
  if (shape.logits > 0) declarations.push_back({"logits", at::kFloat, {prompts, shape.logits}});
  const std::vector<NamedTensor> side = side_tensors(set);
  const std::size_t large = declarations.size();
  for (const NamedTensor& tensor : side)
    declarations.push_back({tensor.name, at::kLong, tensor.tensor.sizes().vec()});

  Metadata metadata = row_metadata(shape.rows);
  metadata["prompts"] = prompts_hash(set);
  SafetensorsWriter writer(file, declarations, metadata);
  for (std::size_t d = 0; d < large; ++d) {
    for (const ActivationPart& part : parts) writer.append(part(declarations[d].name));
  }
  for (const NamedTensor& tensor : side) writer.append(tensor.tensor);
  writer.commit();
}

std::vector<ActivationPart> parts_of(const PromptWork& groups) {
  std::vector<ActivationPart> parts;
  for (std::size_t g = 0; g < groups.groups().size(); ++g) {
    parts.emplace_back([&groups, g](const std::string& name) {
      return name == "logits" ? groups.logits(g) : groups.result(g).tensor("rows." + name);
    });
  }
  return parts;
}

Metadata row_metadata(const std::vector<std::int64_t>& rows) {
  return {{"rows", to_line(Json(rows))},
          {"row_convention", "row l < L: input of block l; row L: before the final norm"}};
}

}  // namespace hrt
