// The cache of server state: when it asks again, and what it does when the session or the server is gone.
import { QueryCache, QueryClient } from "@tanstack/react-query";
import { live } from "@/state/live";
import { ApiError, isTimeout } from "./client";
import { sessionQuery } from "./queries";

const MAX_RETRIES = 2;

export function createClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        // The session ended on the server: the gate shows the sign-in page and comes back here afterwards.
        if (error instanceof ApiError && error.status === 401) client.setQueryData(sessionQuery.queryKey, null);
        if (error instanceof ApiError && error.status === 0) live.suspect();
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        retry: (count, error) => count < MAX_RETRIES && !isTimeout(error) && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
        retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 4_000),
      },
    },
  });
  return client;
}
