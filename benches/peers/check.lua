-- May the bearer of this token call the service? Verified tokens are kept until they expire; their claims are
-- looked at each time.
local pem, issuer, audiences, members = ...

local cjson = require "cjson.safe"
local digest = require "openssl.digest"
local pkey = require "openssl.pkey"
local decode = require("ngx.base64").decode_base64url

local key = pkey.new(pem)
local verified = ngx.shared.verified
local find, sub = string.find, string.sub

local function set(list)
    local found = {}
    for _, value in ipairs(list) do
        found[value] = true
    end
    return found
end

audiences, members = set(audiences), set(members)

-- The claims that are looked at, one a line; nil if the token is not signed with the key.
local function verify(token)
    local head, payload, signature = token:match("^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$")
    if not head then
        return nil
    end
    local header, claims = cjson.decode(decode(head) or ""), cjson.decode(decode(payload) or "")
    local signed = decode(signature)
    if not header or not claims or not signed or header.alg ~= "RS256" then
        return nil
    end
    local ok, valid = pcall(key.verify, key, signed, digest.new("sha256"):update(head .. "." .. payload))
    if not ok or not valid or type(claims.exp) ~= "number" then
        return nil
    end
    return table.concat({ claims.exp, claims.iss or "", claims.aud or "", claims.email or "" }, "\n"), claims.exp
end

local function claims_of(token)
    local lines = verified:get(token)
    if lines then
        return lines
    end
    local found, expiry = verify(token)
    if found and expiry > ngx.time() then
        verified:set(token, found, expiry - ngx.time())
    end
    return found
end

return function()
    local header = ngx.var.http_authorization
    if not header or sub(header, 1, 7) ~= "Bearer " then
        return ngx.exit(401)
    end
    local lines = claims_of(sub(header, 8))
    if not lines then
        return ngx.exit(401)
    end
    local first = find(lines, "\n", 1, true)
    local second = find(lines, "\n", first + 1, true)
    local third = find(lines, "\n", second + 1, true)
    if tonumber(sub(lines, 1, first - 1)) <= ngx.time() or sub(lines, first + 1, second - 1) ~= issuer then
        return ngx.exit(401)
    end
    if not audiences[sub(lines, second + 1, third - 1)] then
        return ngx.exit(401)
    end
    if not members[sub(lines, third + 1)] then
        return ngx.exit(403)
    end
end
