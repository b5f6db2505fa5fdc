using Ork;

[assembly: OrkRole(OrkRole.Simulation)]
