// One way to change a run: send it, take the answer as the truth, refresh what hangs on it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { post } from "@/api/client";
import { runAddress } from "@/api/runQueries";

export function useChange<Body>(id: string, verb: string, onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Body) => post<unknown>(`${runAddress(id)}/${verb}`, body),
    onSuccess: async () => {
      onDone();
      await Promise.all([client.invalidateQueries({ queryKey: ["runs", "one", id] }), client.invalidateQueries({ queryKey: ["runs", "list"] }), client.invalidateQueries({ queryKey: ["runs", "needy"] })]);
    },
  });
}
