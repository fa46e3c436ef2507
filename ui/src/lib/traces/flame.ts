// Where the time of a trace went: spans that were reached the same way are one block, as wide as the work below it. Work
// that ran side by side counts in full, so the whole may be wider than the trace was long.
import type { Trace } from "./model";

export interface FlameBlock {
  id: number;
  service: string;
  name: string;
  depth: number;
  count: number;
  errors: number;
  selfUs: number;
  /** Self time of it and of everything below. */
  totalUs: number;
  children: FlameBlock[];
  parent: FlameBlock | null;
  /** The first of its spans. */
  row: number;
}

export function foldTrace(trace: Trace): FlameBlock {
  const blank = { service: "", name: "", depth: 0, count: 0, errors: 0, selfUs: 0, totalUs: 0, row: -1 };
  const top: FlameBlock = { ...blank, id: 0, name: "all", children: [], parent: null };
  const blocks: FlameBlock[] = [top];
  const known = new Map<string, FlameBlock>();
  const blockOf: FlameBlock[] = [];
  for (let row = 0; row < trace.count; row += 1) {
    const parent = (trace.parents[row] as number) >= 0 ? (blockOf[trace.parents[row] as number] as FlameBlock) : top;
    const [service, name] = [trace.services[row] as string, trace.names[row] as string];
    const key = `${parent.id}\n${service}\n${name}`;
    let block = known.get(key);
    if (!block) {
      block = { ...blank, id: blocks.length, service, name, depth: parent.depth + 1, row, children: [], parent };
      known.set(key, block);
      parent.children.push(block);
      blocks.push(block);
    }
    block.count += 1;
    block.errors += trace.isError[row] as number;
    block.selfUs += trace.selfTimes[row] as number;
    blockOf[row] = block;
  }
  for (const block of blocks.toReversed()) {
    block.totalUs += block.selfUs;
    if (block.parent) block.parent.totalUs += block.totalUs;
    block.children.sort((a, b) => b.totalUs - a.totalUs);
  }
  return top;
}

export interface FlameBox {
  block: FlameBlock;
  left: number;
  width: number;
  level: number;
}

/** Boxes of a block and what is below, as shares of the width; those too small to see are left out. */
export function layFlame(focus: FlameBlock, leastShare: number): FlameBox[] {
  const boxes: FlameBox[] = [];
  const waiting: FlameBox[] = [{ block: focus, left: 0, width: 1, level: 0 }];
  for (let box = waiting.pop(); box; box = waiting.pop()) {
    boxes.push(box);
    let left = box.left;
    for (const child of box.block.children) {
      const width = box.block.totalUs > 0 ? (box.width * child.totalUs) / box.block.totalUs : 0;
      if (width >= leastShare) waiting.push({ block: child, left, width, level: box.level + 1 });
      left += width;
    }
  }
  return boxes;
}
