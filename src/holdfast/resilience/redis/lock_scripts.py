"""The steps of a lock in Redis, each one script. Times are milliseconds of Redis' own clock.

A lock is a hash; its queue a sorted set of waiters by ticket; a waiter a hash that says who it is and until when its
place is kept; a released lock rings the bell of the first waiter. Keys outlive their use by a minute and then expire.
"""

from __future__ import annotations

from typing import Final

_START: Final = """
local p, name = KEYS[1], ARGV[1]
local now = tonumber(ARGV[2])
local stamp = redis.call('TIME')
if now < 0 then now = stamp[1] * 1000 + math.floor(stamp[2] / 1000) end
local lock, queue = p .. ':lock:' .. name, p .. ':queue:' .. name

local function place(waiter) return p .. ':place:' .. waiter end

local function is_live(until_ms, longest) return until_ms and tonumber(until_ms) > now
  and tonumber(until_ms) <= now + longest end

local function holder(of)
  local lease = redis.call('HMGET', p .. ':lock:' .. of, 'owner', 'until')
  if lease[2] and tonumber(lease[2]) > now then return lease[1] end
end

local function leave(waiter, owner)
  redis.call('ZREM', queue, waiter)
  redis.call('DEL', place(waiter))
  redis.call('SREM', p .. ':wants:' .. owner, waiter)
end

local function first()
  while true do
    local waiter = redis.call('ZRANGE', queue, 0, 0)[1]
    if not waiter then return nil end
    local found = redis.call('HMGET', place(waiter), 'until', 'owner')
    if is_live(found[1], 60000) then return waiter end
    leave(waiter, found[2] or '')
  end
end

local function ring()
  local waiter = first()
  if waiter then
    redis.call('RPUSH', p .. ':bell:' .. waiter, 1)
    redis.call('PEXPIRE', p .. ':bell:' .. waiter, 10000)
  end
end
"""

# Tokens go on from the clock, so that they still grow when Redis has lost what it had.
CLAIM: Final = (
    _START
    + """
local owner, waiter, ttl, patience, most = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

local function find_circle()
  local waiting, seen = {{owner, name}}, {}
  while #waiting > 0 do
    local path = table.remove(waiting)
    local by = holder(path[#path])
    if by == owner then return path end
    if by and not seen[by] then
      seen[by] = true
      for _, other in ipairs(redis.call('SMEMBERS', p .. ':wants:' .. by)) do
        local wanted = redis.call('HMGET', place(other), 'until', 'name')
        if is_live(wanted[1], 60000) then
          local longer = {unpack(path)}
          longer[#longer + 1] = by
          longer[#longer + 1] = wanted[2]
          waiting[#waiting + 1] = longer
        end
      end
    end
  end
end

local lease = redis.call('HMGET', lock, 'owner', 'until', 'ttl', 'token', 'waiter')
local until_ms = tonumber(lease[2] or 0)
if until_ms > now and until_ms > now + tonumber(lease[3]) then
  until_ms = now + tonumber(lease[3])
  redis.call('HSET', lock, 'until', until_ms)
end
local is_held = until_ms > now
if is_held and lease[5] == waiter then return {'granted', lease[4]} end

first()
local ahead = redis.call('ZRANK', queue, waiter)
local stands = ahead ~= false
if not stands then ahead = redis.call('ZCARD', queue) end
if not is_held and ahead == 0 then
  local clock = stamp[1] * 1000000 + stamp[2]
  local token = string.format('%.0f', math.max(tonumber(redis.call('GET', p .. ':token') or 0) + 1, clock))
  redis.call('SET', p .. ':token', token)
  redis.call('DEL', lock)
  redis.call('HSET', lock, 'owner', owner, 'waiter', waiter, 'token', token, 'ttl', ttl, 'until', now + ttl)
  redis.call('PEXPIRE', lock, ttl + 60000)
  leave(waiter, owner)
  return {'granted', token}
end

if patience > 0 then
  local circle = find_circle()
  if circle then
    leave(waiter, owner)
    table.insert(circle, 1, 'deadlock')
    return circle
  end
  if not stands then
    if ahead >= most then return {'full'} end
    redis.call('ZADD', queue, redis.call('INCR', p .. ':ticket'), waiter)
  end
  redis.call('HSET', place(waiter), 'owner', owner, 'name', name, 'until', now + patience)
  redis.call('SADD', p .. ':wants:' .. owner, waiter)
  for _, key in ipairs({place(waiter), p .. ':wants:' .. owner, queue}) do
    redis.call('PEXPIRE', key, patience + 60000)
  end
end
if is_held then return {'refused', lease[1], tostring(ahead), tostring(until_ms - now)} end
return {'refused', '', tostring(ahead), '0'}
"""
)

RENEW: Final = (
    _START
    + """
local lease = redis.call('HMGET', lock, 'token', 'until')
if lease[1] ~= ARGV[3] or tonumber(lease[2]) <= now then return 0 end
redis.call('HSET', lock, 'until', now + tonumber(ARGV[4]))
redis.call('PEXPIRE', lock, tonumber(ARGV[4]) + 60000)
return 1
"""
)

RELEASE: Final = (
    _START
    + """
if redis.call('HGET', lock, 'token') == ARGV[3] then
  redis.call('DEL', lock)
  ring()
end
return 1
"""
)

WITHDRAW: Final = (
    _START
    + """
leave(ARGV[4], ARGV[3])
if not holder(name) then ring() end
return 1
"""
)
