using Ork;

[assembly: OrkRole(OrkRole.Edge)]
