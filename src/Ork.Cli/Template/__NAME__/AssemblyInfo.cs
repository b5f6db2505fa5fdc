using Ork;

[assembly: OrkRole(OrkRole.Worker)]
