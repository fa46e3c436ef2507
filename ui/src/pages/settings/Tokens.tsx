// Tokens by which programs call the API: what each may do, until when, when it was last used.
import { Badge, Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { remove } from "@/api/client";
import { tokensQuery } from "@/api/queries";
import type { Token } from "@/api/types";
import { Confirm } from "@/components/Confirm";
import { Empty, QueryView, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { useNow } from "@/state/now";
import { NewTokenDialog } from "./NewTokenDialog";
import classes from "./Settings.module.css";

export function Tokens() {
  const query = useQuery(tokensQuery);
  const [isOpen, dialog] = useDisclosure(false);
  return (
    <>
      <div className={classes.intro}>
        <p>
          Programs send a token as <code>Authorization: Bearer hf_…</code>. Holdfast keeps only its hash, so it is shown once.
        </p>
        <Button leftSection={<IconPlus size={14} />} onClick={dialog.open}>
          New token
        </Button>
      </div>
      <QueryView query={query} skeleton={<SkeletonRows rows={4} />}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No token yet" icon={<IconKey size={32} stroke={1.4} />} snippet="holdfast token create ci --role viewer --expires 90d">
              Make one here, or on the command line for a script.
            </Empty>
          ) : (
            <TokenTable tokens={items} />
          )
        }
      </QueryView>
      <NewTokenDialog isOpen={isOpen} onClose={dialog.close} />
    </>
  );
}

function TokenTable({ tokens }: { tokens: readonly Token[] }) {
  const client = useQueryClient();
  const [doomed, setDoomed] = useState<Token | null>(null);
  const revoke = useMutation({
    mutationFn: (token: Token) => remove(`/tokens/${encodeURIComponent(token.id)}`),
    onSuccess: async () => {
      setDoomed(null);
      await client.invalidateQueries({ queryKey: tokensQuery.queryKey });
    },
  });
  return (
    <>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Name</th>
            <th className={`${classes.role} ${classes.optional}`}>Role</th>
            <th className={classes.optional}>Scopes</th>
            <th className={`${classes.time} ${classes.optional}`}>Last used</th>
            <th className={classes.time}>Expires</th>
            <th className={classes.action}>
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <td>{token.name}</td>
              <td className={`${classes.optional} dim`}>{token.role}</td>
              <td className={`${classes.optional} dim`} data-tip={token.scopes.length > 1 ? token.scopes.join("\n") : undefined}>
                {token.scopes.length > 0 ? token.scopes.join(", ") : <span className="faint">all of the role</span>}
              </td>
              <td className={`${classes.optional} dim`}>
                <When at={token.last_used_at} />
              </td>
              <td className="dim">
                <Expiry at={token.expires_at} />
              </td>
              <td data-align="right">
                <Button variant="subtle" color="gray" size="compact-xs" onClick={() => setDoomed(token)}>
                  Revoke
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Confirm
        isOpen={doomed !== null}
        title={`Revoke “${doomed?.name ?? ""}”?`}
        action="Revoke"
        onConfirm={() => doomed && revoke.mutate(doomed)}
        onClose={() => setDoomed(null)}
        isPending={revoke.isPending}
        error={revoke.error}
      >
        Programs that use it are refused from now on. This cannot be undone.
      </Confirm>
    </>
  );
}

function Expiry({ at }: { at: string }) {
  const isOver = useNow((now) => new Date(at) <= now);
  return isOver ? (
    <Badge size="sm" variant="default" radius="sm">
      expired
    </Badge>
  ) : (
    <When at={at} />
  );
}
