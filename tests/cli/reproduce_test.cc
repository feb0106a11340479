// `hrt reproduce` on the organism, with few prompts.

#include <ATen/ops/neg.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/safetensors.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

const fs::path kProject = HRT_SOURCE_DIR;
const fs::path kCatalogFile = kProject / "data/catalogs/organism.json";

class Reproduce : public ::testing::Test {
 protected:
  ProcessResult reproduce(const std::string& only, std::vector<std::string> more = {},
                          const std::vector<std::string>& env = {}) const {
    std::vector<std::string> arguments{"reproduce", "--only", only,    "--device", "cpu",
                                       "--limit",   "30",     "--out", out_};
    if (std::ranges::find(more, "--data") == more.end())
      arguments.insert(arguments.end(), {"--data", kCatalogFile.string()});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_hrt(arguments, env);
  }

  // The organism's catalog with absolute paths, changed.
  std::string catalog(const std::function<void(Json& catalog)>& change) const {
    Json catalog = read_json(kCatalogFile);
    make_absolute(catalog.at("model"));
    for (Json& model : catalog.at("models")) make_absolute(model);
    for (Json& role : catalog.at("roles")) {
      for (Json& entry : role) make_absolute(entry);
    }
    change(catalog);
    return folder_.write("catalog.json", catalog.dump());
  }

  Json results() const { return read_json(out_ + "/results.json"); }
  Json row(const std::string& id) const {
    const Json all = results();
    for (const Json& entry : all.at("experiments")) {
      if (entry.at("id") == id) return entry;
    }
    return {};
  }

  const TemporaryFolder folder_;
  std::string out_ = folder_ / "out";

 private:
  static void make_absolute(Json& entry) {
    entry["file"] = (kCatalogFile.parent_path() / entry.at("file").get<std::string>()).string();
  }
};

TEST_F(Reproduce, SharesExtractionsAndComputesNothingTwice) {
  const ProcessResult first = reproduce("fig3,table1");
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("trained to show the papers' patterns"));
  EXPECT_EQ(results().at("experiments").size(), 2);
  EXPECT_EQ(row("fig3").at("verdict"), "holds");
  EXPECT_EQ(row("table1").at("published").at(0).at("verdict"), "not comparable");
  EXPECT_EQ(read_json(out_ + "/fig3/results.json").at("source").at("runs"),
            Json({out_ + "/train", out_ + "/tests"}));
  EXPECT_FALSE(fs::exists(out_ + "/fig3/extract"));
  EXPECT_EQ(read_json(out_ + "/manifest.json").at("status"), "complete");

  std::map<std::string, fs::file_time_type> times;
  for (const char* run : {"train", "tests", "fig3", "table1"})
    times[run] = fs::last_write_time(out_ + "/" + run + "/manifest.json");
  const ProcessResult second = reproduce("fig2", {"--json"});  // the others stay on the scoreboard
  ASSERT_EQ(second.code, 0) << second.err;
  for (const auto& [run, time] : times)
    EXPECT_EQ(fs::last_write_time(out_ + "/" + run + "/manifest.json"), time) << run;
  EXPECT_EQ(Json::parse(second.out).at("experiments").size(), 3);
  EXPECT_EQ(row("fig2").at("verdict"), "holds");

  const ProcessResult other = reproduce("fig3", {"--seed", "7"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("/config/seed"));
}

TEST_F(Reproduce, SteersWithTheSharedDirections) {
  ASSERT_EQ(reproduce("bypass").code, 0);
  EXPECT_FALSE(fs::exists(out_ + "/bypass/extract"));
  EXPECT_EQ(row("select").at("verdict"), "does not hold");
  EXPECT_THAT(row("bypass").at("why").get<std::string>(), HasSubstr("select found no direction"));
  const Json steered = read_json(out_ + "/bypass/manifest.json").at("config");
  EXPECT_EQ(steered.at("direction"), out_ + "/train:refusal");
}

TEST_F(Reproduce, AFolderThatMovedIsTakenUp) {
  ASSERT_EQ(reproduce("bypass").code, 0);
  fs::rename(out_, out_ + "-moved");
  out_ += "-moved";
  const auto computed = fs::last_write_time(out_ + "/bypass/replies.jsonl");
  const ProcessResult again = reproduce("bypass");
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(fs::last_write_time(out_ + "/bypass/replies.jsonl"), computed);
}

// The organism with its head turned round.
fs::path changed_model(const TemporaryFolder& folder) {
  const fs::path model = folder.path() / "model";
  fs::copy(kProject / "data/organism/model", model);
  const SafetensorsFile file(model / "model.safetensors");
  std::vector<NamedTensor> tensors;
  for (const TensorInfo& info : file.tensors()) {
    const at::Tensor tensor = file.tensor(info.name).clone();
    tensors.push_back({info.name, info.name == "lm_head.weight" ? tensor.neg() : tensor});
  }
  fs::remove(model / "model.safetensors");
  write_safetensors(model / "model.safetensors", tensors, {});
  return model;
}

// Nothing in the scoreboard is hard-coded: another model gives other numbers.
TEST_F(Reproduce, MeasuresTheModel) {
  const fs::path model = changed_model(folder_);
  ASSERT_EQ(reproduce("table1", {"--model", model.string()}).code, 0);
  const Json changed = row("table1");
  EXPECT_EQ(changed.at("verdict"), "does not hold");
  EXPECT_EQ(changed.at("published").at(0).at("measured").at("value"), 0);
  ASSERT_EQ(reproduce("table1", {"--overwrite"}).code, 0);
  EXPECT_EQ(row("table1").at("published").at(0).at("measured").at("value"), 100);
}

TEST_F(Reproduce, RunsWhatCanRunAndListsWhatIsMissing) {
  const std::string data = catalog([](Json& catalog) {
    catalog["hint"] = "they are had somewhere";
    catalog["roles"].erase("jailbreak_suffix");
    for (const char* role : {"jailbreak_persuasion", "jailbreak_template", "refused_harmless"})
      catalog["roles"][role][0]["file"] = fmt::format("/nowhere/{}.jsonl", role);
  });
  const ProcessResult result = reproduce("fig2,fig6", {"--data", data});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("3 prompt files are not there: /nowhere/{jailbreak_persuasion.jsonl, "));
  EXPECT_THAT(result.err, HasSubstr("(they are had somewhere)"));
  EXPECT_EQ(row("fig6").at("verdict"), "not run");
  EXPECT_THAT(row("fig6").at("why").get<std::string>(),
              HasSubstr("the catalog has no role jailbreak_suffix"));
  EXPECT_TRUE(row("fig6").at("run").is_null());
  EXPECT_THAT(row("fig2").at("left_out").at(0).get<std::string>(), HasSubstr("refused_harmless"));
  EXPECT_EQ(row("fig2").at("run"), "fig2");
}

// A model that refuses none of the training prompts has no refusal direction.
TEST_F(Reproduce, SteersAlongTheDirectionsThatThereAre) {
  const std::string data = catalog([](Json& catalog) {
    catalog["roles"]["harmful_train"] = catalog["roles"]["accepted_harmful"];
    catalog["sizes"]["steer"] = {{"layers", "3"}};
  });
  const ProcessResult result = reproduce("fig4_8", {"--data", data});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(row("fig4_8").at("verdict"), "holds");  // of the claim about v_h
  EXPECT_TRUE(row("fig4_8").at("claims").at(1).at("holds").is_null());
  EXPECT_THAT(row("fig4_8").at("left_out").at(1).get<std::string>(),
              HasSubstr("v_r, prompt tokens: no direction refusal"));
  EXPECT_EQ(reproduce("induce", {"--data", data}).code, 0);
  EXPECT_EQ(row("select").at("verdict"), "not run");
  EXPECT_THAT(row("select").at("why").get<std::string>(), HasSubstr("refuses no harmful prompt"));
  EXPECT_EQ(row("induce").at("verdict"), "not run");
}

TEST_F(Reproduce, FailsWhereASharedExtractionDoes) {
  const std::string data = catalog([&](Json& catalog) {
    catalog["roles"]["harmful_train"][0]["file"] = folder_.write("bad.jsonl", "{\"instruction\": \n");
  });
  const ProcessResult result = reproduce("fig3", {"--data", data});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(row("fig3").at("verdict"), "not run");
  EXPECT_THAT(row("fig3").at("why").get<std::string>(), HasSubstr("bad.jsonl"));
}

TEST_F(Reproduce, GoesOnAfterAFailure) {
  const std::string data =
      catalog([](Json& catalog) { catalog["models"]["finetuned"]["file"] = tiny_checkpoint("llama-bias"); });
  const ProcessResult result = reproduce("fig7_18,table1", {"--data", data});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(row("fig7_18").at("verdict"), "failed");
  EXPECT_FALSE(row("fig7_18").at("why").get<std::string>().empty());
  EXPECT_EQ(row("table1").at("verdict"), "holds");
}

TEST_F(Reproduce, StrictCountsWhatTheCatalogDoesNotList) {
  ASSERT_EQ(reproduce("fig9,fig3", {"--strict"}).code, 0);  // fig9 is listed
  EXPECT_EQ(row("fig9").at("verdict"), "does not hold");
  EXPECT_FALSE(row("fig9").at("claims").at(0).at("missed").is_null());
  const std::string unlisted = catalog([](Json& catalog) { catalog.erase("missed"); });
  const ProcessResult strict = reproduce("fig9,fig3", {"--strict", "--data", unlisted});
  EXPECT_EQ(strict.code, 3);
  EXPECT_THAT(strict.err, HasSubstr("a claim does not hold: fig9.v_h_less_alike"));
  EXPECT_EQ(reproduce("fig9,fig3", {"--data", unlisted}).code, 0);
  // What is known of the catalog's model is not known of another one.
  const std::string other = folder_ / "other";
  fs::copy(kProject / "data/organism/model", other);
  EXPECT_EQ(reproduce("fig9,fig3", {"--strict", "--model", other}).code, 3);
}

// The organism declared a published model.
TEST_F(Reproduce, ComparesPublishedNumbersOnTheirOwnModel) {
  const fs::path data = folder_.path() / "data";
  fs::create_directories(data);
  for (const char* part : {"judges", "inversion"})
    fs::copy(kProject / "data" / part, data / part, fs::copy_options::recursive);
  Json list = read_json(kProject / "data/experiments.json");
  list["models"] = {{{"name", "Organism"},
                     {"letter", "O"},
                     {"family", "llama"},
                     {"template", "chatml"},
                     {"layers", 8},
                     {"hidden", 96}}};
  for (const char* key : {"extractions", "experiments"}) {
    for (Json& entry : list.at(key))
      entry["config"] = (kProject / "data" / entry.at("config").get<std::string>()).string();
  }
  Json& table = list["experiments"][0];
  ASSERT_EQ(table.at("id"), "table1");
  const auto verdict = [&](double with, double without) {
    table["published"][0]["values"] = {{"Organism", with}};
    table["published"][1]["values"] = {{"Organism", without}};
    folder_.write("data/experiments.json", list.dump());
    const ProcessResult result = reproduce("table1", {}, {"HRT_DATA_DIR=" + data.string()});
    EXPECT_THAT(result.out, HasSubstr("Organism, by its shape"));
    return row("table1").at("verdict").get<std::string>();
  };
  EXPECT_EQ(verdict(100, 85), "within");
  EXPECT_EQ(verdict(100, 20), "direction only");
}

TEST_F(Reproduce, PlansWithoutComputing) {
  const ProcessResult result = reproduce("fig3,bypass", {"--dry-run", "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  std::vector<std::string> steps;
  const Json plan = Json::parse(result.out);
  for (const Json& step : plan.at("steps")) steps.push_back(step.at("id"));
  EXPECT_THAT(steps, ::testing::ElementsAre("train", "tests", "fig3", "select", "bypass"));
  EXPECT_FALSE(fs::exists(out_));
}

TEST_F(Reproduce, EndsWhereNothingCanRun) {
  const std::string data =
      catalog([](Json& catalog) { catalog["roles"]["refused_harmful"][0]["file"] = "/nowhere/a.jsonl"; });
  const ProcessResult result = reproduce("table1", {"--data", data});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("nothing can be run: 1 prompt file is not there: /nowhere/a.jsonl"));
  EXPECT_FALSE(fs::exists(out_));
  const ProcessResult no_role = reproduce("table8_9");
  EXPECT_EQ(no_role.code, 2);
  EXPECT_THAT(no_role.err, HasSubstr("nothing can be run: table8_9: the catalog has no role toxic_chat"));
}

TEST_F(Reproduce, RefusesWhatItDoesNotKnow) {
  const ProcessResult unknown = reproduce("fig33");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("--only fig33: no such experiment, did you mean fig3?"));
  const ProcessResult none = reproduce("");
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("--only names no experiment"));
  const ProcessResult no_device =
      run_hrt({"reproduce", "--data", kCatalogFile.string(), "--device", "cuda:99", "--out", out_});
  EXPECT_EQ(no_device.code, 2);
  EXPECT_THAT(no_device.err, HasSubstr("--device cuda:99"));
  EXPECT_FALSE(fs::exists(out_)) << "found before anything is computed";
  const ProcessResult no_data = run_hrt({"reproduce", "--out", out_});
  EXPECT_EQ(no_data.code, 2);
  EXPECT_THAT(no_data.err, HasSubstr("--data CATALOG"));
  folder_.write("out/notes.txt", "mine");
  EXPECT_EQ(reproduce("table1", {"--overwrite"}).code, 2);
  EXPECT_TRUE(fs::exists(out_ + "/notes.txt"));
}

TEST_F(Reproduce, HasARowForWhatIsBroken) {
  ASSERT_EQ(reproduce("table1,select").code, 0);
  write_file(out_ + "/table1/results.json", "{}");
  write_file(out_ + "/select/manifest.json", "{");
  const ProcessResult result = reproduce("table1");
  EXPECT_EQ(result.code, 1) << result.err;
  EXPECT_EQ(row("table1").at("verdict"), "failed");
  EXPECT_THAT(row("table1").at("why").get<std::string>(),
              HasSubstr("holds nothing that this experiment measures"));
  EXPECT_EQ(row("select").at("verdict"), "failed");
  EXPECT_THAT(row("select").at("why").get<std::string>(), HasSubstr("select/manifest.json:1"));
}

TEST_F(Reproduce, SaysBeforehandThatAFolderIsAnothers) {
  ASSERT_EQ(reproduce("table1").code, 0);
  const ProcessResult other = reproduce("table1", {"--seed", "5", "--dry-run"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("cannot be resumed"));
  const ProcessResult anew = reproduce("table1", {"--seed", "5", "--overwrite", "--dry-run"});
  EXPECT_EQ(anew.code, 0) << anew.err;
  EXPECT_THAT(anew.out, Not(HasSubstr("complete")));
}

// The committed runs, whose paths are relative to the project's folder.
class ReproduceFrom : public ::testing::TestWithParam<const char*> {
 protected:
  ReproduceFrom() : before_(fs::current_path()) { fs::current_path(kProject); }
  ~ReproduceFrom() override { fs::current_path(before_); }

  ProcessResult again(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{
        "reproduce", "--from",          std::string("tests/reproduce/reference/") + GetParam(),
        "--out",     folder_ / "again", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_hrt(arguments);
  }

  const TemporaryFolder folder_;

 private:
  fs::path before_;
};

TEST_P(ReproduceFrom, GivesTheSame) {
  const ProcessResult result = again();
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  const Json report = Json::parse(result.out);
  EXPECT_GE(report.at("files").size(), 4);
  for (const Json& file : report.at("files")) {
    if (file.at("file") == "prompts.jsonl") {
      EXPECT_EQ(file.at("state"), "same bytes");
    }
  }
  for (const Json& input : report.at("inputs")) EXPECT_NE(input.at("severity"), "input") << input;
}

TEST_P(ReproduceFrom, SaysWhatDiffersOnAnotherModel) {
  const ProcessResult result = again({"--model", changed_model(folder_).string()});
  EXPECT_EQ(result.code, 3) << result.out << result.err;
  const Json report = Json::parse(result.out);
  EXPECT_EQ(report.at("inputs").at(0).at("severity"), "input");
  EXPECT_THAT(report.at("inputs").at(0).at("difference").get<std::string>(), HasSubstr("/identity/model"));
  for (const Json& file : report.at("files")) {
    if (file.at("file") == "replies.jsonl") {
      EXPECT_EQ(file.at("state"), "different");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(References, ReproduceFrom, ::testing::Values("extract", "steer", "inversion"));

}  // namespace
}  // namespace hrt::testing
