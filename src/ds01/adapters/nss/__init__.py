"""People as the server knows them: NSS, so files, LDAP and AD alike."""
