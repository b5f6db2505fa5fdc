using Ork;

[assembly: OrkRole(OrkRole.Caller)]
