// Adds what a page shows to an investigation: the one used last, another, or a new one. The server keeps what is seen.
import { ActionIcon, Button, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconNotebook, IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { addCell, investigationPath, investigationsQuery, openInvestigation } from "@/api/investigationQueries";
import type { CellBody, Investigation } from "@/api/types";
import { problemOf } from "@/components/states";
import { formatAbsolute } from "@/lib/time";
import { useMay } from "@/state/session";
import classes from "./Collect.module.css";

const SHOWN = 8;

interface AddProps {
  /** Made when it is added, so that a moving time range is fixed then. */
  cell: CellBody | (() => CellBody);
  /** What it is, for those who cannot see the page: "graph", "line". */
  what: string;
  isIcon?: boolean;
  isSmall?: boolean;
  isDisabled?: boolean;
}

export function AddToInvestigation({ cell, what, isIcon = false, isSmall = false, isDisabled = false }: AddProps) {
  const [isOpen, setOpen] = useState(false);
  const client = useQueryClient();
  const navigate = useNavigate();
  const list = useQuery({ ...investigationsQuery, enabled: isOpen });
  const mayWrite = useMay("investigations.write");
  const add = useMutation({
    mutationFn: async (to: Investigation | null) => {
      const target = to ?? (await openInvestigation(`Investigation of ${formatAbsolute(new Date())}`));
      await addCell(target.id, typeof cell === "function" ? cell() : cell);
      return target;
    },
    onSuccess: (target) => {
      void client.invalidateQueries({ queryKey: ["investigations"] });
      const path = investigationPath(target.id);
      const message = (
        <>
          Added to{" "}
          <a
            href={path}
            className="link"
            onClick={(event) => {
              // Notifications stand outside the router.
              event.preventDefault();
              void navigate(path);
            }}
          >
            {target.title}
          </a>
        </>
      );
      notifications.show({ message });
    },
    onError: (error) => {
      const problem = problemOf(error);
      notifications.show({ color: "red", title: problem.title, message: problem.detail ?? "" });
    },
  });
  if (!mayWrite) return null;
  const label = `Add to an investigation: this ${what}`;
  const items = list.data?.items ?? [];
  return (
    <Menu position="bottom-end" width={280} opened={isOpen} onChange={setOpen}>
      <Menu.Target>
        {isIcon ? (
          <ActionIcon size="sm" aria-label={label} data-tip={label} loading={add.isPending} disabled={isDisabled}>
            <IconNotebook size={14} />
          </ActionIcon>
        ) : (
          <Button variant="default" {...(isSmall ? { size: "compact-xs" } : {})} leftSection={<IconNotebook size={isSmall ? 13 : 14} />} aria-label={label} data-tip={label} loading={add.isPending} disabled={isDisabled}>
            Add
          </Button>
        )}
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{items.length > 0 ? "Add to an investigation" : "No investigation yet"}</Menu.Label>
        {items.slice(0, SHOWN).map((one) => (
          <Menu.Item key={one.id} onClick={() => add.mutate(one)}>
            <span className={`truncate ${classes.item}`}>{one.title}</span>
          </Menu.Item>
        ))}
        {items.length > 0 && <Menu.Divider />}
        <Menu.Item leftSection={<IconPlus size={14} />} onClick={() => add.mutate(null)}>
          A new investigation
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
