#pragma once

namespace hrt {

// Figures are drawn in the light palette; their colours become these variables.
inline constexpr const char* kHtmlStyle = R"css(
:root {
  --paper: #ffffff; --panel: #f6f7f9; --line: #dfe2e7; --soft: #5b626c; --warn: #8a4b00; --warn-paper: #fff4e2;
  --ink: #1b1e24; --grey: #7a7f87; --grid: #e4e6ea;
  --vermillion: #d55e00; --orange: #e69f00; --blue: #0072b2; --sky: #56b4e9; --green: #009e73; --purple: #cc79a7;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171c; --panel: #1d2128; --line: #343a44; --soft: #a3abb7; --warn: #ffcf8a; --warn-paper: #3a2b12;
    --ink: #e6e9ee; --grey: #9aa1ac; --grid: #2b3038;
    --vermillion: #ff8b45; --orange: #f5b83d; --blue: #5eb3ec; --sky: #8fd0f7; --green: #35c99c; --purple: #e3a0c6;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 1.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 0.5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 0.95rem; font-weight: 500; color: var(--soft); margin: 0 0 0.75rem; overflow-wrap: anywhere; }
p { margin: 0.5rem 0; max-width: 46rem; }
.lead { color: var(--soft); }
nav { font-size: 0.9rem; margin: 1rem 0; display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; }
a { color: var(--blue); text-decoration: none; }
a:hover { text-decoration: underline; }
.runs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); gap: 2rem; }
article { min-width: 0; }
.blocks { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 1rem 2rem;
  grid-auto-flow: dense; align-items: start; }
.blocks > * { min-width: 0; }
.wide { grid-column: 1 / -1; }
figure { margin: 0; max-width: 34rem; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { font-size: 0.85rem; color: var(--soft); margin-top: 0.3rem; }
figcaption b { color: var(--ink); font-weight: 600; }
.warning { background: var(--warn-paper); color: var(--warn); padding: 0.5rem 0.8rem; border-radius: 0.4rem; max-width: none; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding: 0 0 0.3rem; }
th { font-weight: 600; text-align: right; vertical-align: bottom; border-bottom: 1px solid var(--grey); padding: 0.2rem 0.6rem; }
td { text-align: right; padding: 0.18rem 0.6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th.text { text-align: left; }
td.text { text-align: left; white-space: normal; min-width: 6rem; max-width: 34rem; }
@media (max-width: 44rem) {
  .prose thead { display: none; }
  .prose tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  .prose td, .prose td.text { display: block; text-align: left; padding: 0; border: 0; white-space: normal; max-width: none; }
  .prose td:first-child { font-weight: 600; }
  .prose td:not(:first-child)::before { content: attr(data-column) ": "; color: var(--soft); }
  .prose td:empty { display: none; }
}
details { border: 1px solid var(--line); border-radius: 0.4rem; padding: 0.4rem 0.8rem; }
summary { cursor: pointer; color: var(--soft); }
details[open] > summary { margin-bottom: 0.6rem; }
pre { font: 0.78rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-x: auto; background: var(--panel);
  padding: 0.8rem; border-radius: 0.4rem; max-height: 40rem; }
.tokens { font: 0.82rem/2.6 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.tokens span { background: var(--panel); border: 1px solid var(--line); border-radius: 0.25rem; padding: 0.1rem 0.3rem;
  margin-right: 0.15rem; white-space: pre; position: relative; }
.tokens .instruction { border-color: var(--blue); }
.tokens .marked { background: var(--ink); color: var(--paper); margin-bottom: 1rem; }
.tokens .marked::after { content: attr(data-position); position: absolute; left: 0; top: 1.5rem; font-size: 0.68rem;
  line-height: 1; color: var(--vermillion); white-space: nowrap; }
@media print { body { max-width: none; } details { display: none; } }
)css";

}  // namespace hrt
