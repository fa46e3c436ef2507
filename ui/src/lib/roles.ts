// The four roles, least powerful first, and what each may do in one line.
import type { Role } from "@/api/types";

export const ROLES: readonly { value: Role; label: string }[] = [
  { value: "viewer", label: "viewer: sees everything, changes nothing" },
  { value: "responder", label: "responder: also runs checks" },
  { value: "operator", label: "operator: also pauses checks, plans maintenance, reloads files" },
  { value: "admin", label: "admin: also manages people" },
];
