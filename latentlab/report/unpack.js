// Recorded runs as they are drawn, made of the packed ones (packing.py) when they are looked at.

function unpacked(data, trace, arm) {
  return trace.runs[arm].map((place, i) => {
    const [attention, picks, label, right, lens, ratio, focus, again, beside] = trace.pool[place];
    const [query, uniformRatio, uniformFocus, uniformAgain] = data.nulls[beside];
    const pairs = [];
    for (let at = 0; lens && at < lens.length; at += 2) pairs.push([data.words[lens[at]], lens[at + 1]]);
    return {
      picks, ratio, focus, again, query, uniformRatio, uniformFocus, uniformAgain,
      attention: attention === null ? null : [...atob(attention)].map((byte) => (byte.charCodeAt(0) / 255) * data.most),
      probe: label === null ? null : { label: data.words[label], right: Boolean(right) },
      lens: lens === null ? null : pairs,
      grid: trace.grid, read: trace.cells[i][0], named: trace.cells[i][1],
    };
  });
}

// What a step holds, as far as it can be told: `text`, `right` (null where nothing can be said of
// it), and `why` in words. `alone` is the same step of the run left alone.
function reading(model, asked, step, at, alone) {
  const probe = model.probes[at + 1], hop = asked.path[at + 1];
  if (!step.probe && !step.lens && (alone.probe || alone.lens)) return { text: "left out", right: null, why: "nothing is fed in here" };
  if (step.probe && probe && !probe.readable) {
    return { text: "not readable", right: null, why: `a probe of this step is right in ${probe.right} of ${probe.n} answers: too few to believe a single one` };
  }
  if (step.probe) return { text: step.probe.label, right: step.probe.right, why: probe ? `a linear probe, right in ${probe.right} of ${probe.n} answers of the model left alone` : "a linear probe" };
  if (asked.path.length && !hop) return { text: "no hop left", right: null, why: "the question asks for no hop here" };
  if (step.lens) {
    const token = step.lens[0][0];
    return { text: `“${token}”`, right: hop && token.trim() === hop ? true : null, why: "first token of the logit lens; there is no probe" };
  }
  return { text: "no reading", right: null, why: "neither a probe nor the lens has anything to read" };
}
