"""The arithmetic of `rate_rules` once more, in the words of Redis, so that asking and taking are one step.

The contract of limiter stores runs on both; whoever changes one changes the other.
"""

from __future__ import annotations

from typing import Final

_START: Final = """
local key = KEYS[1] .. ':rate:' .. ARGV[1]
local now = tonumber(ARGV[2])
if now < 0 then
  local stamp = redis.call('TIME')
  now = tonumber(stamp[1]) + tonumber(stamp[2]) / 1000000
end
local kind, cost, x = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local a, b, c = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local ROUNDING = 1e-9

local state = {}
for number in string.gmatch(redis.call('GET', key) or '', '%S+') do state[#state + 1] = tonumber(number) end

local function show(number) return string.format('%.17g', number) end

local function keep(kept, idle_from)
  local words = {}
  for place, number in ipairs(kept) do words[place] = show(number) end
  if #words == 0 then return redis.call('DEL', key) end
  redis.call('SET', key, table.concat(words, ' '), 'PX', math.max(1000, math.ceil((idle_from - now) * 1000) + 1000))
end

local idle = {
  gcra = function(kept) return kept[1] end,
  token_bucket = function(kept) return kept[2] + (b - kept[1]) / a end,
  sliding_window = function(kept) return kept[#kept - 1] + b + c end,
}
local function save(kept) if #kept > 0 then keep(kept, idle[kind](kept)) else keep(kept, now) end end
"""

# ARGV: key, time, kind, cost, longest wait, and the rule's numbers:
# gcra rate, burst; token_bucket rate, burst, tokens at first; sliding_window limit, window, slot.
TAKE: Final = (
    _START
    + """
local admit = {}

function admit.gcra()
  local full = math.max(state[1] or now, now) + cost / a
  local wait = full - b / a - now
  if wait <= ROUNDING then return {full}, 0 end
  if wait <= x then return {full}, wait end
  return state, wait
end

function admit.token_bucket()
  local tokens, at = c, now
  if #state > 0 then
    at = math.max(now, state[2])
    tokens = math.min(b, state[1] + (at - state[2]) * a)
  end
  local wait = (cost - tokens) / a
  if wait <= ROUNDING then return {tokens - cost, at}, 0 end
  if wait <= x then return {tokens - cost, at}, wait end
  if #state > 0 then return state, wait end
  return {tokens, at}, wait
end

function admit.sliding_window()
  local lasting, due, used = b + c, now, 0
  if #state > 0 then due = math.max(now, state[#state - 1]) end
  for place = 2, #state, 2 do used = used + state[place] end
  local oldest, live = 1, 1
  while oldest < #state and (state[oldest] + lasting <= due + ROUNDING or used + cost > a) do
    due = math.max(due, state[oldest] + lasting)
    used = used - state[oldest + 1]
    oldest = oldest + 2
  end
  while live < oldest and state[live] + lasting <= now do live = live + 2 end
  local wait = due - now
  if wait <= ROUNDING then wait = 0 end
  if wait > x then return state, wait end
  local kept = {}
  for place = live, #state do kept[#kept + 1] = state[place] end
  local start = due
  if c > 0 then start = math.floor(due / c) * c end
  if #kept > 0 and start <= kept[#kept - 1] then
    kept[#kept] = kept[#kept] + cost
  else
    kept[#kept + 1] = start
    kept[#kept + 1] = cost
  end
  return kept, wait
end

local kept, wait = admit[kind]()
save(kept)
return {wait <= x and 1 or 0, show(wait), show(now + wait)}
"""
)

# ARGV as above, with the moment of going in the place of the longest wait.
GIVE_BACK: Final = (
    _START
    + """
if #state == 0 then return 0 end
if kind == 'gcra' then state[1] = state[1] - cost / a end
if kind == 'token_bucket' then state[1] = math.min(b, state[1] + cost) end
if kind == 'sliding_window' then
  for place = #state - 1, 1, -2 do
    if state[place] <= x + ROUNDING then
      state[place + 1] = math.max(0, state[place + 1] - cost)
      if state[place + 1] == 0 then
        table.remove(state, place + 1)
        table.remove(state, place)
      end
      break
    end
  end
end
save(state)
return 1
"""
)
