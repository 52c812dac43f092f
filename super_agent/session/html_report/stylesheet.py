"""The page's style: the reader's fonts, light or dark as the reader has it, printable."""

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1c2128; --dim: #59636e; --edge: #d1d9e0; --raised: #f6f8fa;
  --good: #1a7f37; --bad: #cf222e; --warn: #9a6700; --who: #0969da; --add: #dafbe1; --del: #ffebe9; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --text: #e6edf3; --dim: #9198a1; --edge: #3d444d;
  --raised: #151b23; --good: #3fb950; --bad: #f85149; --warn: #d29922; --who: #4493f8; --add: #12361f;
  --del: #4a1a1d; } }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; white-space: pre-wrap; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin-top: 2.5rem; padding-bottom: .3rem; border-bottom: 1px solid var(--edge); }
h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; color: var(--who); }
p { margin: .3rem 0; overflow-wrap: anywhere; }
pre { margin: .4rem 0; padding: .6rem .8rem; background: var(--raised); border: 1px solid var(--edge);
  border-radius: 6px; font: .85rem/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
pre.said { font: inherit; background: none; border: 0; padding: 0; }
pre.output { border-left: 4px solid var(--edge); }
.diff .add { background: var(--add); } .diff .del { background: var(--del); } .diff .hunk { color: var(--dim); }
table { border-collapse: collapse; } th { text-align: left; font-weight: normal; color: var(--dim); vertical-align: top;
  padding: .1rem 1.5rem .1rem 0; white-space: nowrap; } td { overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--dim); }
.dim { color: var(--dim); } .good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
svg { width: 100%; height: auto; } svg text { fill: var(--dim); font: 11px system-ui, sans-serif; }
svg .lane { stroke: var(--edge); } svg .autogen { fill: var(--who); } svg .open-interpreter { fill: var(--warn); }
svg .code { fill: var(--good); } svg .failed { fill: var(--bad); }
svg .turn { stroke: var(--dim); stroke-dasharray: 2 3; }
"""
