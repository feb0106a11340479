#include "hrt/experiment/config.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/experiment/catalog.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const fs::path kConfigs = fs::path(HRT_SOURCE_DIR) / "configs";

class ConfigTest : public ::testing::Test {
 protected:
  fs::path file(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name) << content;
    return folder_ / name;
  }

  static std::string error_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  const TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
};

TEST_F(ConfigTest, DefaultsAreThoseOfTheTable) {
  const Json config = resolve_config(Command::kExtract, std::nullopt, {});
  EXPECT_EQ(config.at("judge"), "zhao2025");
  EXPECT_EQ(config.at("max_new_tokens"), 128);
  EXPECT_EQ(config.at("positions"), Json({"t_inst", "t_post_inst"}));
  EXPECT_TRUE(config.at("model").is_null());
}

TEST_F(ConfigTest, AFlagBeatsTheCatalogBeatsTheFileBeatsTheDefault) {
  const fs::path catalog =
      file("catalog.json", R"({"roles": {}, "sizes": {"max_new_tokens": 48, "seed": 3}})");
  const fs::path config = file("config.json", R"({"max_new_tokens": 400, "seed": 1, "judge": "union"})");
  const Json resolved = resolve_config(Command::kExtract, config,
                                       {{"data", catalog.string(), "--data"}, {"seed", 9, "--seed"}});
  EXPECT_EQ(resolved.at("max_new_tokens"), 48);
  EXPECT_EQ(resolved.at("seed"), 9);
  EXPECT_EQ(resolved.at("judge"), "union");
}

TEST_F(ConfigTest, UnknownKeysAreNamedWithTheNearest) {
  const fs::path config = file("config.json", R"({"judg": "union"})");
  const std::string error = error_of([&] { resolve_config(Command::kExtract, config, {}); });
  EXPECT_THAT(error, HasSubstr("config.json: /judg is no key of `hrt extract`, did you mean judge?"));
}

TEST_F(ConfigTest, WrongTypesAreNamedWithWhatIsExpected) {
  const struct {
    const char* json;
    const char* expected;
  } cases[] = {
      {R"({"seed": "one"})", "/seed must be an integer"},
      {R"({"max_new_tokens": 0})", "/max_new_tokens must be an integer of 1 to 2147483647"},
      {R"({"max_new_tokens": 1e30})", "/max_new_tokens must be an integer"},
      {R"({"verify": -1})", "/verify must be a number of 0 to 1"},
      {R"({"verify": 2})", "/verify must be a number of 0 to 1, found 2"},
      {R"({"logits": "yes"})", "/logits must be true or false"},
      {R"({"judge": null})", "/judge must be a string, found null"},
      {R"({"dtype": "float8"})", "/dtype must be one of auto, float32"},
      {R"({"positions": "t_inst"})", "/positions must be a list of strings"},
      {R"({"layers": [1.5]})", "/layers must be"},
      {R"({"harmful": ["a.jsonl", {"limit": 3}]})", "/harmful must be a list of prompt files"},
      {R"({"template_arg": {"date": 3}})", "/template_arg must be an object of strings"},
      {R"({"harmful": [{"file": "a", "role": "b"}]})", "/harmful must be a list of prompt files"},
      {R"({"harmful": ["a", {"file": "b", "limt": 2}]})",
       "config.json: /harmful/1/limt is no key of a prompt source, did you mean limit?"},
      {R"({"prompts": [{"file": "a", "limit": -2}]})",
       "config.json: /prompts/0/limit must be an integer of 1 to 2147483647, found -2"},
      {R"({"prompts": [{"role": "a", "where": "b"}]})", "config.json: /prompts/0/where must be an object"},
      {R"([1])", "config.json: must be an object"},
  };
  for (const auto& c : cases) {
    const fs::path config = file("config.json", c.json);
    EXPECT_THAT(error_of([&] { resolve_config(Command::kExtract, config, {}); }), HasSubstr(c.expected))
        << c.json;
  }
}

TEST_F(ConfigTest, KeysOfAnotherCommandAreRefused) {
  const fs::path config = file("config.json", R"({"pair": "outcome"})");
  EXPECT_THAT(error_of([&] { resolve_config(Command::kSteer, config, {}); }),
              HasSubstr("/pair is no key of `hrt steer`"));
}

TEST_F(ConfigTest, SetReachesIntoListsAndObjects) {
  const fs::path config = file("config.json", R"({"harmful": [{"file": "a.jsonl"}, "b.jsonl"]})");
  const Json resolved = resolve_config(Command::kExtract, config,
                                       {parse_set("harmful.0.limit=5"), parse_set("harmful.1=c.jsonl"),
                                        parse_set("template_arg.date_string=today")});
  EXPECT_EQ(resolved.at("harmful"), Json::parse(R"([{"file": "a.jsonl", "limit": 5}, "c.jsonl"])"));
  EXPECT_EQ(resolved.at("template_arg").at("date_string"), "today");
}

TEST_F(ConfigTest, ABareTextForAListIsTakenAsItsFlagWould) {
  const Json resolved = resolve_config(
      Command::kExtract, std::nullopt,
      {parse_set("positions=t_inst, -1"), parse_set("harmful=a,b.jsonl"), parse_set("judge=union")});
  EXPECT_EQ(resolved.at("positions"), Json({"t_inst", "-1"}));
  EXPECT_EQ(resolved.at("harmful"), Json({"a,b.jsonl"}));
  EXPECT_EQ(resolved.at("judge"), "union");
}

TEST_F(ConfigTest, SetOfAnUnknownPlaceIsAnError) {
  EXPECT_THAT(error_of([] { resolve_config(Command::kExtract, std::nullopt, {parse_set("harmful.3=x")}); }),
              HasSubstr("--set harmful.3=x: 3 is no index of a list of 0"));
  EXPECT_THAT(error_of([] { resolve_config(Command::kExtract, std::nullopt, {parse_set("seed.deep=1")}); }),
              HasSubstr("seed.deep has nothing inside"));
  EXPECT_THAT(error_of([] { parse_set("seed"); }), HasSubstr("expected KEY=VALUE"));
}

TEST_F(ConfigTest, LayersAreNumbersAndRanges) {
  EXPECT_THAT(resolve_layers("all", 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(resolve_layers("5,0..4:2,4", 6), ElementsAre(0, 2, 4, 5));
  EXPECT_THAT(resolve_layers(Json({3, 1}), 4), ElementsAre(1, 3));
  EXPECT_THAT(resolve_layers("0, 2..3", 4), ElementsAre(0, 2, 3));
  EXPECT_THAT(error_of([] { resolve_layers("3..1", 6); }), HasSubstr("3..1 runs backwards, expected 1..3"));
  EXPECT_THAT(error_of([] { resolve_layers("1..3:0", 6); }), HasSubstr("expected at least 1"));
  EXPECT_THAT(error_of([] { resolve_layers("1..9", 6); }), HasSubstr("1..9 does not lie in 0..5"));
  for (const char* bad : {"7", "3..1", "1..9", "a", "", "0..4:0", "-1"}) {
    EXPECT_THROW(resolve_layers(bad, 6), InputError) << bad;
  }
}

TEST_F(ConfigTest, RolesBecomeFilesWithLabelsAndRefinements) {
  file("a.jsonl", "{}");
  const fs::path catalog = file("catalog.json", R"({"roles": {
      "bad": [{"file": "a.jsonl", "where": {"category": "x"}, "field": "goal", "skip": 3, "limit": 7}]}})");
  const Json config =
      resolve_config(Command::kExtract, std::nullopt,
                     {{"data", catalog.string(), "--data"},
                      {"harmful", Json::parse(R"([{"role": "bad", "limit": 2}])"), "--harmful"}});
  const std::vector<PromptSource> sources = resolve_sources(config);
  ASSERT_EQ(sources.size(), 1u);
  EXPECT_EQ(sources[0].file, folder_ / "a.jsonl");
  EXPECT_EQ(sources[0].label, Label::kHarmful);
  EXPECT_EQ(sources[0].field, "goal");
  EXPECT_EQ(sources[0].skip, 3);
  EXPECT_EQ(sources[0].limit, 2);
  EXPECT_EQ(sources[0].where.at("category"), "x");
}

TEST_F(ConfigTest, MissingFilesAreAllNamedAtOnceWithTheCatalogsHint) {
  const fs::path catalog = file("catalog.json", R"({"hint": "tools/fetch brings them",
      "roles": {"bad": [{"file": "a.jsonl"}, {"file": "b.jsonl"}]}})");
  const Json config = resolve_config(
      Command::kExtract, std::nullopt,
      {{"data", catalog.string(), "--data"}, {"harmful", Json::parse(R"([{"role": "bad"}])"), "--harmful"}});
  const std::string error = error_of([&] { resolve_sources(config); });
  EXPECT_THAT(error, HasSubstr("a.jsonl"));
  EXPECT_THAT(error, HasSubstr("b.jsonl (tools/fetch brings them)"));
}

TEST_F(ConfigTest, AnUnknownRoleIsNamedWithTheNearest) {
  const fs::path catalog = file("catalog.json", R"({"roles": {"harmful_train": []}})");
  const Json config =
      resolve_config(Command::kExtract, std::nullopt,
                     {{"data", catalog.string(), "--data"},
                      {"harmful", Json::parse(R"([{"role": "harmful_trian"}])"), "--harmful"}});
  EXPECT_THAT(error_of([&] { resolve_sources(config); }),
              HasSubstr("no role harmful_trian, did you mean harmful_train?"));
}

TEST_F(ConfigTest, RolesNeedACatalog) {
  const Json config =
      resolve_config(Command::kExtract, std::nullopt, {parse_set("prompts=[{\"role\": \"a\"}]")});
  EXPECT_THAT(error_of([&] { resolve_sources(config); }), HasSubstr("role a: --data CATALOG says which"));
}

TEST_F(ConfigTest, ACatalogIsCheckedWhetherOrNotItIsUsed) {
  const struct {
    const char* json;
    const char* expected;
  } cases[] = {
      {R"({"name": 5, "roles": {}})", "catalog.json: /name must be a string, found 5"},
      {R"({"model": {"fil": "a"}, "roles": {}})", "/model/fil is not known here, did you mean file?"},
      {R"({"models": {"a": 5}, "roles": {}})", "/models/a must be an object"},
      {R"({"models": {"a": {"file": "b", "limit": 1}}, "roles": {}})", "/models/a/limit is not known here"},
      {R"({"missed": [1], "roles": {}})", "/missed must be an object"},
      {R"({"missed": {"a": 1}, "roles": {}})", "/missed/a must be a string, found 1"},
      {R"({})", "/roles is missing"},
      {R"({"roles": {"a": {"file": "b"}}})", "/roles/a must be a list"},
      {R"({"roles": {"a": ["b"]}})", "/roles/a/0 must be an object"},
      {R"({"roles": {"a": [{"limit": 3}]}})", "/roles/a/0/file is missing"},
      {R"({"roles": {"a": [{"file": "b", "cache": "c"}]}})", "/roles/a/0/file and cache exclude each other"},
      {R"({"roles": {"a": [{"file": "b"}, {"file": "b", "skip": -1}]}})",
       "/roles/a/1/skip must be an integer of at least 0, found -1"},
      {R"({"roles": {"a": [{"file": "b", "limit": 0}]}})",
       "/roles/a/0/limit must be an integer of at least 1, found 0"},
      {R"({"roles": {}, "sizes": {"max_new_token": 5}})",
       "catalog.json: /sizes/max_new_token is no key of any command that a catalog may set, did you mean "
       "max_new_tokens?"},
      {R"({"roles": {}, "sizes": {"out": "a"}})", "/sizes/out is no key of any command"},
      {R"({"roles": {}, "sizes": {"model": "a"}})", "/sizes/model is no key of any command"},
      {R"({"roles": {}, "sizes": {"resume": true}})", "/sizes/resume is no key of any command"},
      {R"({"roles": {}, "sizes": {"seed": "a"}})", "/sizes/seed must be an integer"},
      {R"({"roles": {}, "sizes": {"steer": {"positions": ["t_inst"]}}})",
       "/sizes/steer/positions is no key of `hrt steer` that a catalog may set"},
      {R"({"roles": {}, "sizes": {"steer": {"out": "a"}}})", "/sizes/steer/out is no key of `hrt steer`"},
  };
  for (const auto& c : cases) {
    const fs::path catalog = file("catalog.json", c.json);
    EXPECT_THAT(error_of([&] {
                  resolve_config(Command::kExtract, std::nullopt, {{"data", catalog.string(), "--data"}});
                }),
                HasSubstr(c.expected))
        << c.json;
  }
}

TEST_F(ConfigTest, HubNamesAreLookedUpInTheLocalCache) {
  const Json config = resolve_config(Command::kExtract, std::nullopt, {{"model", "org/name", "--model"}});
  EXPECT_THAT(error_of([&] { resolve_model(config); }), HasSubstr("models--org--name"));
}

// Set HRT_UPDATE=1 to write the schema again after a change of the table of keys.
TEST(ConfigSchema, TheCommittedFileIsTheTables) {
  const fs::path committed = kConfigs / "config.schema.json";
  const std::string text = config_schema().dump(2) + "\n";
  if (std::getenv("HRT_UPDATE") != nullptr) write_file(committed, text);
  EXPECT_EQ(read_file(committed), text);
}

constexpr std::array kCommands{Command::kExtract, Command::kSteer,    Command::kSelect,
                               Command::kProbe,   Command::kGuardFit, Command::kGuardEval};

bool is_config_of(Command command, const fs::path& file) {
  try {
    check_config(read_json(file), command, file.string());
    return true;
  } catch (const InputError&) {
    return false;
  }
}

TEST(ConfigSchema, EveryConfigFitsTheSchemaAndTheTable) {
  using Adapter = valijson::adapters::NlohmannJsonAdapter;
  const auto plain_json = [](const fs::path& file) { return nlohmann::json::parse(read_file(file)); };
  const nlohmann::json schema_text = plain_json(kConfigs / "config.schema.json");
  valijson::Schema schema;
  valijson::SchemaParser().populateSchema(Adapter(schema_text), schema);
  int checked = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kConfigs)) {
    if (entry.path().extension() != ".json" || entry.path().filename() == "config.schema.json") continue;
    const nlohmann::json config = plain_json(entry.path());
    valijson::ValidationResults results;
    EXPECT_TRUE(valijson::Validator().validate(schema, Adapter(config), &results)) << entry.path();
    EXPECT_TRUE(std::ranges::any_of(kCommands, [&](Command c) { return is_config_of(c, entry.path()); }))
        << entry.path();
    ++checked;
  }
  EXPECT_GT(checked, 0);
  const nlohmann::json wrong = {{"seed", "one"}};
  EXPECT_FALSE(valijson::Validator().validate(schema, Adapter(wrong), nullptr));
}

TEST(Catalogs, EachOpensAndItsSizesAreKeys) {
  int checked = 0;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(HRT_SOURCE_DIR) / "data/catalogs")) {
    const Catalog catalog(entry.path(), std::nullopt);
    for (const Command command : kCommands) {
      EXPECT_NO_THROW(resolve_config(command, std::nullopt, {{"data", entry.path().string(), "--data"}}));
    }
    EXPECT_FALSE(catalog.sources("harmful_train").empty()) << entry.path();
    EXPECT_FALSE(catalog.sources("harmless_train").empty()) << entry.path();
    ++checked;
  }
  EXPECT_GT(checked, 0);
}

}  // namespace
}  // namespace hrt
