// People who may sign in: their role, whether they still may, when they were last here.
import { Badge, Button, NativeSelect } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconPlus, IconUsers } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { patch } from "@/api/client";
import { usersQuery } from "@/api/queries";
import type { Role, User, UserPatch } from "@/api/types";
import { Empty, problemOf, QueryView, SkeletonRows } from "@/components/states";
import table from "@/components/table.module.css";
import { When } from "@/components/When";
import { ROLES } from "@/lib/roles";
import { useMay, useSession } from "@/state/session";
import { NewUserDialog } from "./NewUserDialog";
import classes from "./Settings.module.css";

export function Users() {
  const query = useQuery(usersQuery);
  const [isOpen, dialog] = useDisclosure(false);
  const mayAdd = useMay("auth.write");
  return (
    <>
      <div className={classes.intro}>
        <p>Every change that somebody makes is recorded under their name in the event log.</p>
        <Button leftSection={<IconPlus size={14} />} onClick={dialog.open} disabled={!mayAdd}>
          New user
        </Button>
      </div>
      <QueryView query={query} skeleton={<SkeletonRows rows={4} />}>
        {({ items }) =>
          items.length > 0 ? (
            <UserTable users={items} />
          ) : (
            <Empty title="Nobody can sign in yet" icon={<IconUsers size={32} stroke={1.4} />}>
              While signing in is switched off, everybody who reaches this port is an administrator. Add the first user before it is switched on.
            </Empty>
          )
        }
      </QueryView>
      <NewUserDialog isOpen={isOpen} onClose={dialog.close} />
    </>
  );
}

function UserTable({ users }: { users: readonly User[] }) {
  const client = useQueryClient();
  const { user: self } = useSession();
  const mayChange = useMay("auth.write");
  const change = useMutation({
    mutationFn: ({ id, ...body }: UserPatch & { id: string }) => patch<User>(`/users/${encodeURIComponent(id)}`, body),
    onSettled: () => client.invalidateQueries({ queryKey: usersQuery.queryKey }),
    onError: (error) => {
      const problem = problemOf(error);
      notifications.show({ title: problem.title, message: [problem.detail, problem.hint].filter(Boolean).join(" "), color: "gray" });
    },
  });
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Name</th>
          <th style={{ width: 148 }}>Role</th>
          <th className={`${classes.time} ${classes.optional}`}>Added</th>
          <th className={`${classes.time} ${classes.optional}`}>Last seen</th>
          <th className={classes.action}>
            <span className="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {users.map((user) => {
          const isSelf = user.id === self.id;
          return (
            <tr key={user.id}>
              <td>
                <span className="row">
                  <span className={user.disabled ? "faint" : ""}>{user.name}</span>
                  {isSelf && <span className="faint small">you</span>}
                  {user.disabled && (
                    <Badge size="sm" variant="default" radius="sm">
                      disabled
                    </Badge>
                  )}
                </span>
              </td>
              <td>
                <NativeSelect
                  size="xs"
                  variant="unstyled"
                  aria-label={`Role of ${user.name}`}
                  data={ROLES.map(({ value }) => value)}
                  value={user.role}
                  disabled={isSelf || !mayChange || change.isPending}
                  onChange={(event) => change.mutate({ id: user.id, role: event.currentTarget.value as Role })}
                />
              </td>
              <td className={`${classes.optional} dim`}>
                <When at={user.created_at} />
              </td>
              <td className={`${classes.optional} dim`}>
                <When at={user.last_seen_at} />
              </td>
              <td data-align="right">
                {!isSelf && mayChange && (
                  <Button variant="subtle" color="gray" size="compact-xs" loading={change.isPending && change.variables.id === user.id} onClick={() => change.mutate({ id: user.id, disabled: !user.disabled })}>
                    {user.disabled ? "Enable" : "Disable"}
                  </Button>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
