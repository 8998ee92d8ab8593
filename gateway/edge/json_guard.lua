-- Refuses a JSON body with a field that the method's message does not have.
-- Malformed JSON is let through: the transcoder, next in line, explains it better.
local SCHEMA = {--[[SCHEMA]]}
local DEPTH = 64
local QUOTE, BACKSLASH_STEP = 34, 2

local function skip_space(text, at)
  local _, last = text:find("^[ \t\r\n]*", at)
  return last + 1
end

local function after_string(text, at)
  local from = at + 1
  while true do
    local found = text:find('["\\]', from)
    if not found then error({}) end
    if text:byte(found) == QUOTE then return found + 1 end
    from = found + BACKSLASH_STEP
  end
end

local walk

local function type_of_field(kind, key)
  local inner = kind:match("^map:(.*)$")
  if inner then return inner end
  local fields = SCHEMA[kind]
  if not fields then return "" end
  return fields[key]
end

-- The object or array that opens at `at`; returns the position behind it.
local function walk_members(text, at, kind, path, depth, closing, keyed)
  at = skip_space(text, at + 1)
  if text:sub(at, at) == closing then return at + 1 end
  while true do
    local inner, inner_path = kind, path
    if keyed then
      if text:byte(at) ~= QUOTE then error({}) end
      local behind = after_string(text, at)
      local key = text:sub(at + 1, behind - 2)
      inner_path = path == "" and key or (path .. "." .. key)
      inner = type_of_field(kind, key)
      if not inner then error({ unknown = inner_path }) end
      at = skip_space(text, behind)
      if text:sub(at, at) ~= ":" then error({}) end
      at = skip_space(text, at + 1)
    end
    at = skip_space(text, walk(text, at, inner, inner_path, depth + 1))
    local mark = text:sub(at, at)
    if mark == closing then return at + 1 end
    if mark ~= "," then error({}) end
    at = skip_space(text, at + 1)
  end
end

walk = function(text, at, kind, path, depth)
  if depth > DEPTH then error({ deep = true }) end
  local mark = text:sub(at, at)
  if mark == "{" then return walk_members(text, at, kind, path, depth, "}", true) end
  if mark == "[" then return walk_members(text, at, kind, path, depth, "]", false) end
  if mark == '"' then return after_string(text, at) end
  local _, last = text:find("^[%w%.%+%-]+", at)
  if not last then error({}) end
  return last + 1
end

local function refuse(handle, message)
  handle:respond({ [":status"] = "400" }, message)
end

function envoy_on_request(handle)
  local body = handle:body()
  if not body or body:length() == 0 then return end
  local text = body:getBytes(0, body:length())
  local fine, problem = pcall(walk, text, skip_space(text, 1), handle:filterContext():get("message"), "", 0)
  if fine then return end
  if type(problem) ~= "table" then error(problem) end
  if problem.unknown then
    refuse(handle, "unknown field " .. problem.unknown:sub(1, 100))
  elseif problem.deep then
    refuse(handle, "the body is nested more than " .. DEPTH .. " levels deep")
  end
end
