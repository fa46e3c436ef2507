// Shows Markdown of people and of imported dashboards; built of elements, so that nothing in it can be HTML.
import { useMemo } from "react";
import { type Inline, readMarkdown } from "@/lib/markdown";
import classes from "./Markdown.module.css";

export function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => readMarkdown(text), [text]);
  return (
    <div className={classes.markdown}>
      {blocks.map((block, at) => {
        switch (block.kind) {
          case "heading":
            return block.level === 1 ? <h3 key={at} className={classes.big}>{inline(block.inline)}</h3> : <h4 key={at}>{inline(block.inline)}</h4>;
          case "paragraph":
            return <p key={at}>{inline(block.inline)}</p>;
          case "code":
            return <pre key={at}>{block.text}</pre>;
          case "rule":
            return <hr key={at} />;
          case "list": {
            const items = block.items.map((item, place) => <li key={place}>{inline(item)}</li>);
            return block.isOrdered ? <ol key={at}>{items}</ol> : <ul key={at}>{items}</ul>;
          }
        }
      })}
    </div>
  );
}

function inline(parts: readonly Inline[]) {
  return parts.map((part, at) => {
    switch (part.kind) {
      case "text":
        return part.text;
      case "strong":
        return <strong key={at}>{part.text}</strong>;
      case "em":
        return <em key={at}>{part.text}</em>;
      case "code":
        return <code key={at}>{part.text}</code>;
      case "link":
        return (
          <a key={at} href={part.href} className="link" rel="noreferrer noopener" target={part.href.startsWith("http") ? "_blank" : undefined}>
            {part.text}
          </a>
        );
    }
  });
}
