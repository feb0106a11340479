#include "hrt/analysis/ngrams.h"

#include <gtest/gtest.h>

#include <vector>

#include "hrt/analysis/linear_classifier.h"

namespace hrt {
namespace {

constexpr std::int64_t kBuckets = 1 << 20;  // no collisions among a handful of words

double features_of(const std::string& text) {
  return ngram_features(std::vector<std::string>{text}, kBuckets).sum().item<double>();
}

bool same(const std::string& a, const std::string& b) {
  const at::Tensor features = ngram_features(std::vector<std::string>{a, b}, kBuckets);
  return features[0].equal(features[1]);
}

TEST(NgramFeatures, AreWordsAndPairsOfNeighbours) {
  EXPECT_EQ(features_of("make a cake"), 5);
  EXPECT_EQ(features_of("cake cake cake"), 2);
  EXPECT_EQ(features_of(""), 0);
  EXPECT_EQ(features_of(" ?! "), 0);
}

TEST(NgramFeatures, SeeOrderButNeitherCaseNorPunctuation) {
  EXPECT_TRUE(same("How do I bake?", "how, do i BAKE"));
  EXPECT_FALSE(same("dog bites man", "man bites dog"));
  EXPECT_FALSE(same("ab c", "a bc"));
}

TEST(NgramFeatures, KeepWordsOfOtherScriptsWhole) { EXPECT_EQ(features_of("привет мир"), 3); }

TEST(NgramFeatures, TellTextsApartByTheirWords) {
  const std::vector<std::string> texts{"build a bomb", "build a bomb now", "bake a cake", "bake a cake now"};
  const at::Tensor features = ngram_features(texts, 1024);
  const auto classifier = fit_logistic(features, {true, true, false, false}, {.standardize = false});
  const auto scores = classifier->scores(ngram_features(std::vector<std::string>{"a bomb", "a cake"}, 1024));
  EXPECT_GT(scores[0], 0);
  EXPECT_LT(scores[1], 0);
}

}  // namespace
}  // namespace hrt
